"""Training of the DeepRecon-style baseline: encoder and generator together, as an autoencoder.

The original's generator is trained against a discriminator first, for days; that is not done here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor, nn

from ..baselines.deeprecon.objective import slice_loss
from ..core.labels import NAMES
from ..model.device import autocast
from ..model.networks.deeprecon import StyleAutoencoder
from ..model.networks.deeprecon_preset import DeepReconPreset
from .augment import still_view
from .pictures import outlined, tiled
from .random_windows import random_windows
from .slices import Slices

SCORED, SHOWN = 64, 8


@dataclass(frozen=True)
class DeepReconTask:
    """See `task.Task`. data, held_out: on one device; the latter None where no case is kept apart."""

    data: Slices
    held_out: Slices | None
    preset: DeepReconPreset
    part = "deeprecon"

    def build(self) -> StyleAutoencoder:
        return StyleAutoencoder(self.preset)

    def loss(self, module: nn.Module, count: int) -> Tensor:
        """`objective.slice_loss` of one random batch, encoded and decoded."""
        images, labels = self.draw(count)
        with autocast(images.device):
            made, logits = module(images)
        return slice_loss(made.float(), logits.float(), images, labels).mean()

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """A random batch: images (B, 1, size, size) in [0, 1] and labels (B, size, size) int64."""
        views, labels = random_windows(self.data, count, self.preset.image_size, self.preset.spacing_mm)
        return views, labels.long()

    def windows(self, count: int) -> tuple[Tensor, Tensor]:
        """``count`` slices evenly spread over the cases kept apart, or trained on; shapes as in `draw`."""
        data = self.data if self.held_out is None else self.held_out
        index = torch.linspace(0, len(data) - 1, min(count, len(data)), device=data.device).long()
        views, labels = still_view(
            data.image_batch(index[:, None]),
            data.labels[index],
            data.centres[index],
            self.preset.image_size,
            self.preset.spacing_mm / data.spacings[index],
        )
        return views, labels.long()

    @torch.no_grad()
    def scores(self, module: nn.Module) -> dict[str, float]:
        """Of slices kept apart, encoded and decoded without optimisation: PSNR in dB, and Dice by structure
        over all of them.
        """
        if self.held_out is None:
            return {}
        images, labels = self.windows(SCORED)
        made, found = decoded(module, images)
        pairs = zip(images[:, 0].cpu().numpy(), made, strict=True)
        scores = {"PSNR dB": float(np.mean([peak_signal_noise_ratio(*pair, data_range=1) for pair in pairs]))}
        true = labels.cpu().numpy()
        for label, name in NAMES.items():
            mine, real = found == label, true == label
            scores[f"Dice {name}"] = float(2 * (mine & real).sum() / max(mine.sum() + real.sum(), 1))
        return scores

    @torch.no_grad()
    def picture(self, module: nn.Module) -> np.ndarray:
        """Slices with the true outlines above, and below as they are decoded, with the decoded outlines."""
        images, labels = self.windows(SHOWN)
        true = zip(images[:, 0].cpu().numpy(), labels.cpu().numpy(), strict=True)
        made = zip(*decoded(module, images), strict=True)
        return tiled([[outlined(*pair) for pair in row] for row in (true, made)])


def decoded(module: nn.Module, images: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Images (B, size, size) in [0, 1] and labels (B, size, size) of images (B, 1, size, size), encoded and
    decoded by a `StyleAutoencoder`.
    """
    with autocast(images.device):
        made, logits = module(images)
    return made[:, 0].float().clamp(0, 1).cpu().numpy(), logits.argmax(1).cpu().numpy()
