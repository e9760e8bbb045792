"""From noise to image and back along the probability-flow ODE.

``denoise(x, lam) -> (x0, epsilon)`` is the conditional network with its conditions bound (f_theta and
epsilon_theta of the paper); ``levels`` are lam = log(alpha / sigma), see ``schedule``.

With order 1 the two functions are DDIM (eq. 1 and eq. 3). With order 2 each step also uses the network's
answer of the step before (2M multistep, Lu et al., DPM-Solver++, 2022, run in either direction): the same
number of network calls, an error of second order. Generation extrapolates x0, inversion extrapolates epsilon,
since those change slowest at the image's and at the noise's end. Coefficients are computed in double
precision; x keeps its own precision, which should be float32 or better.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .schedule import alpha_sigma

Denoise = Callable[[Tensor, float], tuple[Tensor, Tensor]]


def predictions(output: Tensor, x: Tensor, lam: Tensor, prediction: str) -> tuple[Tensor, Tensor]:
    """(x0, epsilon) from what the network answers.

    output, x: (B, C, H, W). lam: (B,). prediction: "epsilon" (eq. 2, Tweedie's formula) or "v" (Salimans and
        Ho, 2022).
    x0 is not clipped: clipping would make inversion irreversible.
    """
    alpha, sigma = _alpha_sigma(lam, prediction)
    if prediction == "epsilon":
        return (x - sigma * output) / alpha, output
    return alpha * x - sigma * output, sigma * x + alpha * output


def target(x0: Tensor, noise: Tensor, lam: Tensor, prediction: str) -> tuple[Tensor, Tensor]:
    """(noisy image, what the network should answer) in training; shapes as in ``predictions``."""
    alpha, sigma = _alpha_sigma(lam, prediction)
    return alpha * x0 + sigma * noise, noise if prediction == "epsilon" else alpha * noise - sigma * x0


def _alpha_sigma(lam: Tensor, prediction: str) -> tuple[Tensor, Tensor]:
    """alpha and sigma, (B, 1, 1, 1) each, of ``lam`` (B,), where ``prediction`` is one there is."""
    if prediction not in ("epsilon", "v"):
        raise ValueError(f"prediction must be 'epsilon' or 'v', not {prediction!r}")
    alpha, sigma = (torch.sigmoid(sign * 2 * lam).sqrt().view(-1, 1, 1, 1) for sign in (1, -1))
    return alpha, sigma


def generate(denoise: Denoise, x: Tensor, levels: Sequence[float], order: int = 2) -> Tensor:
    """Image from noise (eq. 1-2).

    x: (B, C, H, W) at ``levels[0]``. levels: increasing; one network call for each but the last. order: 1
        (DDIM) or 2.
    """
    return _integrate(denoise, x, levels, order, toward_image=True)


def invert(denoise: Denoise, x: Tensor, levels: Sequence[float], order: int = 2) -> Tensor:
    """Noise from image (eq. 3), the stochastic encoder E_sto.

    x: (B, C, H, W), the image. levels: decreasing; one network call for each but the last. order: 1 (DDIM) or
        2.
    """
    return _integrate(denoise, x, levels, order, toward_image=False)


def _integrate(
    denoise: Denoise, x: Tensor, levels: Sequence[float], order: int, toward_image: bool
) -> Tensor:
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, not {order!r}")
    previous, previous_step = None, 0.0
    for lam, lam_next in itertools.pairwise(levels):
        x0, epsilon = denoise(x, lam)
        slow = x0 if toward_image else epsilon
        step, derivative = lam_next - lam, slow
        if order == 2 and previous is not None:
            derivative = slow + (slow - previous) * (step / (2 * previous_step))
        (alpha, sigma), (alpha_next, sigma_next) = alpha_sigma(lam), alpha_sigma(lam_next)
        if toward_image:
            x = sigma_next / sigma * x + sigma_next * (alpha_next / sigma_next - alpha / sigma) * derivative
        else:
            x = alpha_next / alpha * x - alpha_next * (sigma / alpha - sigma_next / alpha_next) * derivative
        previous, previous_step = slow, step
    return x
