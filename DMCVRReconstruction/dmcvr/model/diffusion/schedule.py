"""How much noise at which moment.

A noise level is given by ``lam`` = log(alpha / sigma), half the log-SNR, with alpha^2 + sigma^2 = 1: a noisy
image is x = alpha x0 + sigma epsilon. ``lam`` falls as noise grows. The paper's alpha_t is alpha^2 here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch


def alpha_sigma(lam: float) -> tuple[float, float]:
    """(alpha, sigma) of the noise level ``lam`` = log(alpha / sigma)."""
    return math.sqrt(1 / (1 + math.exp(-2 * lam))), math.sqrt(1 / (1 + math.exp(2 * lam)))


@dataclass(frozen=True)
class LinearBeta:
    """The paper's schedule: T = 1000 steps, beta from 1e-4 to 0.02; network time is the step's index."""

    steps: int = 1000
    beta_first: float = 1e-4
    beta_last: float = 0.02

    @cached_property
    def _table(self) -> np.ndarray:
        """(steps,) lam of every index, decreasing."""
        alpha_bar = np.cumprod(1 - np.linspace(self.beta_first, self.beta_last, self.steps))
        return 0.5 * np.log(alpha_bar / (1 - alpha_bar))

    @property
    def lam_max(self) -> float:
        """The least noise the network knows; a clean image is taken to stand here."""
        return float(self._table[0])

    @property
    def lam_min(self) -> float:
        """The most noise: x_T stands here."""
        return float(self._table[-1])

    def network_time(self, lam: torch.Tensor) -> torch.Tensor:
        """(B,) index, not rounded, of (B,) ``lam``."""
        index = np.interp(lam.double().cpu().numpy(), self._table[::-1], np.arange(self.steps)[::-1])
        return torch.as_tensor(index, dtype=lam.dtype, device=lam.device)

    def draw(self, uniform: torch.Tensor) -> torch.Tensor:
        """(B,) ``lam`` for training from (B,) uniform numbers in [0, 1): t ~ Unif(1, T) of eq. 4."""
        index = (uniform * self.steps).long().clamp(0, self.steps - 1).cpu().numpy()
        return torch.as_tensor(self._table[index], dtype=uniform.dtype, device=uniform.device)

    def ddim_grid(self, steps: int) -> list[float]:
        """steps + 1 levels from image to noise, uniform in the time index, as the paper's DDIM."""
        index = np.linspace(0, self.steps - 1, steps + 1)
        return np.interp(index, np.arange(self.steps), self._table).tolist()

    def grid(self, steps: int, lam_stop: float | None = None) -> list[float]:
        """steps + 1 levels from image to ``lam_stop`` (default: x_T), uniform in ``lam``."""
        return np.linspace(self.lam_max, self.lam_min if lam_stop is None else lam_stop, steps + 1).tolist()


@dataclass(frozen=True)
class UniformLogSNR:
    """log-SNR uniform between two bounds in training; the network is told the log-SNR itself."""

    log_snr_max: float = 9.0
    log_snr_min: float = -9.0

    @property
    def lam_max(self) -> float:
        """The least noise the network knows; a clean image is taken to stand here."""
        return self.log_snr_max / 2

    @property
    def lam_min(self) -> float:
        """The most noise: x_T stands here."""
        return self.log_snr_min / 2

    def network_time(self, lam: torch.Tensor) -> torch.Tensor:
        """(B,) log-SNR of (B,) ``lam``."""
        return 2 * lam

    def draw(self, uniform: torch.Tensor) -> torch.Tensor:
        """(B,) ``lam`` for training from (B,) uniform numbers in [0, 1)."""
        return self.lam_min + (self.lam_max - self.lam_min) * uniform

    def grid(self, steps: int, lam_stop: float | None = None) -> list[float]:
        """steps + 1 levels from image to ``lam_stop`` (default: x_T), uniform in ``lam``."""
        return np.linspace(self.lam_max, self.lam_min if lam_stop is None else lam_stop, steps + 1).tolist()


SCHEDULES = {"linear-beta": LinearBeta, "log-snr": UniformLogSNR}
