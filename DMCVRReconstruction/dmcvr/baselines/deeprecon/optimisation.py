"""The optimisation of slices' W+ codes, and what lies between two codes.

The encoder's code is near the best one at most, so each slice's code is optimised by Adam, as Abdal et al.
(ICCV 2019) do in W+ and DeepRecon does under the guidance of image and labels:

    code = argmin over w of  slice_loss(generator(w), slice, labels) + PULL mean((w - encoder(slice))^2)

The pull keeps it where the generator has learned to decode, without which straight lines between codes lead
through places that mean nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .objective import slice_loss

Decode = Callable[[Tensor], tuple[Tensor, Tensor]]
"""W+ codes (B, layers, D) to images (B, 1, H, W) and class logits (B, C, H, W)."""
RATE = 0.05
"""The learning rate at the beginning; it falls to 0 along half a cosine."""
PULL = 0.01


def code_loss(decode: Decode, codes: Tensor, start: Tensor, images: Tensor, labels: Tensor) -> Tensor:
    """(B,) what the optimisation makes small; see `optimise_codes`."""
    pull = (codes - start).square().mean((1, 2))
    return slice_loss(*decode(codes), images, labels) + PULL * pull


def optimise_codes(
    decode: Decode,
    start: Tensor,
    images: Tensor,
    labels: Tensor,
    steps: int,
    done: Callable[[int], None] = lambda step: None,
) -> Tensor:
    """Codes (B, layers, D) of slices after ``steps`` steps of Adam; each slice's is as if it were alone.

    start: (B, layers, D), the encoder's codes. images: (B, 1, H, W) in [0, 1]. labels: (B, H, W) int64.
    done: called after every step with how many there were.
    """
    codes = start.detach().clone().requires_grad_(True)
    optimiser = torch.optim.Adam([codes], lr=RATE)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        with torch.enable_grad():
            # Adam scales each number's own gradient, so a sum over slices lets none weigh on another.
            loss = code_loss(decode, codes, start, images, labels).sum()
        (codes.grad,) = torch.autograd.grad(loss, codes)
        optimiser.step()
        done(step + 1)
    return codes.detach()
