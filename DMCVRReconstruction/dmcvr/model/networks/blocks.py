"""Pieces shared by the semantic encoder and the denoiser (Dhariwal & Nichol 2021, appendix A)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv3(channels_in: int, channels_out: int, bias: bool = True) -> nn.Conv2d:
    """A 3x3 convolution that keeps the resolution."""
    return nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=bias)


def zeroed(module: nn.Module) -> nn.Module:
    """``module`` with all parameters zero, so that a residual branch starts as the identity."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def resample(x: Tensor, change: str | None) -> Tensor:
    """``x`` (B, C, H, W) at half ("down", mean) or double ("up", nearest) resolution, or as it is (None)."""
    if change == "down":
        return F.avg_pool2d(x, 2)
    if change == "up":
        return F.interpolate(x, scale_factor=2, mode="nearest")
    return x


def sinusoids(time: Tensor, size: int, scale: float, period: float) -> Tensor:
    """Cosines and sines (B, size) of ``time`` (B,), geometric frequencies from scale to scale / period."""
    half = size // 2
    exponents = torch.arange(half, device=time.device, dtype=torch.float32) / half
    phases = time.float()[:, None] * scale * torch.exp(-math.log(period) * exponents)
    return torch.cat([phases.cos(), phases.sin()], dim=1)


class SelfAttention(nn.Module):
    """Residual self-attention over all positions, (B, C, H, W) to the same."""

    def __init__(self, channels: int, heads: int, groups: int):
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(groups, channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = zeroed(nn.Linear(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        q, k, v = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return x + self.out(attended).transpose(1, 2).reshape(x.shape)


class ConvBlock(nn.Module):
    """Unconditional residual block with one convolution, as in DiffAE's encoder; may halve the resolution."""

    def __init__(self, channels_in: int, channels_out: int, groups: int, change: str | None = None):
        super().__init__()
        self.change = change
        self.norm = nn.GroupNorm(groups, channels_in)
        self.conv = conv3(channels_in, channels_out)
        self.skip = nn.Conv2d(channels_in, channels_out, 1) if channels_in != channels_out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(resample(F.silu(self.norm(x)), self.change))
        return self.skip(resample(x, self.change)) + h
