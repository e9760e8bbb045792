"""Between two latents (eq. 5 and 6), and along with what moves between them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
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


def warp(images: Tensor, displacement: Tensor) -> Tensor:
    """``images`` (B, C, H, W), bicubic and with edges repeated, at each pixel plus its displacement.

    displacement: (B, 2, H, W) pixels, (row, column).
    """
    height, width = images.shape[2:]
    rows = torch.arange(height, device=images.device)[:, None] + displacement[:, 0]
    columns = torch.arange(width, device=images.device) + displacement[:, 1]
    # grid_sample wants (x, y), the outermost pixels' centres at -1 and 1.
    places = torch.stack([columns * (2 / (width - 1)) - 1, rows * (2 / (height - 1)) - 1], dim=-1)
    return F.grid_sample(images, places.to(images), "bicubic", padding_mode="border", align_corners=True)


def warp_noise(noise: Tensor, displacement: Tensor) -> Tensor:
    """``noise`` (B, C, H, W) warped as by `warp`, each of the B with the standard deviation it had.

    Between pixels, independent noise averages out; left so, the image made of it would be soft.
    """
    moved = warp(noise, displacement)
    spread, left = (item.std(dim=(1, 2, 3), keepdim=True) for item in (noise, moved))
    return moved * (spread / left.clamp_min(1e-12))
