"""E_mor and D_mor as a residual U-Net (Ronneberger et al. 2015; He et al. 2016).

The paper assumes no architecture for them. Of plain convolutions, a processor takes more than twice as many
training steps in the same time as of MedFormer (`Testing/Benchmarks/segmenters.py`).
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import conv3
from .presets import ResidualUNetConfig


class Norm(nn.BatchNorm2d):
    """Batch norm; a single value a channel, which has no spread, is normalised by the running statistics."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.numel() == x.shape[1]:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        normed: Tensor = super().forward(x)
        return normed


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a way around them, (B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1):
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
        self.first_norm = Norm(channels_out)
        self.second = conv3(channels_out, channels_out, bias=False)
        self.second_norm = Norm(channels_out)
        self.around = (
            nn.Identity()
            if channels_in == channels_out and stride == 1
            else nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first_norm(self.first(x)), inplace=True)
        return F.relu(self.second_norm(self.second(h)) + self.around(x), inplace=True)


class ResidualUNet(nn.Module):
    """Slices (B, config.slices, H, W) in [0, 1] to class logits (B, classes, H, W).

    The channels are as in `MedFormer`: the slice to label in the middle, its neighbours about it, 0 where
    there is none. H and W are multiples of ``config.stride``.
    """

    def __init__(self, config: ResidualUNetConfig):
        super().__init__()
        self.config = config
        widths, blocks = config.widths, config.blocks
        self.stem = conv3(config.slices * config.patch**2, widths[0])
        self.down = nn.ModuleList(
            nn.Sequential(
                ResidualBlock(widths[max(level - 1, 0)], width, 2 if level else 1),
                *(ResidualBlock(width, width) for _ in range(blocks[level] - 1)),
            )
            for level, width in enumerate(widths)
        )
        self.narrow = nn.ModuleList(nn.Conv2d(low, high, 1) for high, low in pairwise(widths))
        self.up = nn.ModuleList(ResidualBlock(width, width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], config.classes * config.patch**2, 1)
        self.auxiliary_head = nn.Conv2d(widths[1], config.classes, 1) if config.auxiliary else None

    def _encode(self, x: Tensor) -> list[Tensor]:
        """Features of every level, from the finest."""
        if x.shape[2] % self.config.stride or x.shape[3] % self.config.stride:
            raise ValueError(
                f"ResidualUNet takes sides divisible by {self.config.stride}, not {tuple(x.shape[2:])}."
            )
        x = self.stem(F.pixel_unshuffle(x, self.config.patch))
        features = []
        for level in self.down:
            x = level(x)
            features.append(x)
        return features

    def _decode(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Logits (B, classes, H, W) and the features of level 1, which the auxiliary head reads."""
        x = middle = features[-1]
        for level in reversed(range(len(self.up))):
            x = F.interpolate(self.narrow[level](x), scale_factor=2, mode="nearest") + features[level]
            x = self.up[level](x)
            if level == 1:
                middle = x
        return F.pixel_shuffle(self.head(x), self.config.patch), middle

    @torch.no_grad()
    def shift_scores(self, offsets: Tensor) -> None:
        """Add ``offsets`` (classes,) to all logits, for good."""
        assert self.head.bias is not None  # as it was made with one
        self.head.bias += offsets.repeat_interleave(self.config.patch**2)

    def encode(self, x: Tensor) -> Tensor:
        """The bottleneck (B, config.features, H / stride, W / stride), l_mor in the paper."""
        return self._encode(x)[-1]

    def segment_and_encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and bottleneck from one pass."""
        features = self._encode(x)
        return self._decode(features)[0], features[-1]

    def forward(self, x: Tensor, auxiliary: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """Logits; with ``auxiliary`` also the auxiliary head's logits, upsampled to the same shape."""
        logits, middle = self._decode(self._encode(x))
        if not auxiliary:
            return logits
        if self.auxiliary_head is None:
            raise ValueError("This ResidualUNet was built without an auxiliary head.")
        second = self.auxiliary_head(middle)
        return logits, F.interpolate(second, size=x.shape[2:], mode="bilinear", align_corners=False)
