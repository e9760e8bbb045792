"""Between two latents (eq. 5 and 6)."""

from __future__ import annotations

import torch
from torch import Tensor


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Straight line (eq. 5): a at t = 0, b at t = 1. a, b: (B, ...); t: (B,)."""
    # torch.lerp, unlike (1 - t) a + t b, gives equal ends back without rounding.
    return torch.lerp(a, b, t.view(-1, *[1] * (a.dim() - 1)).to(a.dtype))


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Great circle (eq. 6): a at t = 0, b at t = 1. a, b: (B, ...), one angle for each of the B; t: (B,).

    The angle is that between directions; lengths enter linearly, as eq. 6 has it for codes of equal length.
    Where the ends are parallel the great circle is the straight line, and equal ends give that end exactly;
    where they are opposite no great circle is singled out, and the straight line is taken as well.
    """
    flat_a, flat_b = a.flatten(1).double(), b.flatten(1).double()
    cosine = (flat_a * flat_b).sum(1) / (flat_a.norm(dim=1) * flat_b.norm(dim=1)).clamp_min(1e-300)
    theta = cosine.clamp(-1, 1).acos()
    straight = theta.sin() < 1e-6
    sine = theta.sin().masked_fill(straight, 1.0)
    shape = (-1, *[1] * (a.dim() - 1))
    weight_a, weight_b = (
        ((share * theta).sin() / sine).to(a.dtype).view(shape) for share in (1 - t.double(), t.double())
    )
    return torch.where(straight.view(shape), lerp(a, b, t), weight_a * a + weight_b * b)
