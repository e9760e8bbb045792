"""The denoising U-Net conditioned on time, on l_sem and on l_mor (DMCVR section 2.1, equations 1 and 4).

DiffAE's form of adaptive group normalisation, in every residual block:

    h = (1 + z) * ((1 + t_scale) * norm(h) + t_shift)

with t from the time embedding and the channel scale z from l_sem. The morphology code enters as
`DenoiserConfig.morphology` says. A code that is withheld contributes exactly zero, whether ``morphology`` is
None (whole batch) or ``present`` is false (single samples), so a network trained with some samples' codes
withheld also runs without.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import SelfAttention, conv3, resample, sinusoids, zeroed
from .presets import BOTTLENECK_LEVEL, DenoiserConfig


class Conditions(NamedTuple):
    """What a residual block is told: time (B, E), semantic (B, D), maps (B, M + 1, h, w) or None."""

    time: Tensor
    semantic: Tensor
    maps: Tensor | None


class ResidualBlock(nn.Module):
    """Conditional residual block, followed by self-attention if asked; may change the resolution."""

    def __init__(
        self,
        config: DenoiserConfig,
        channels_in: int,
        channels_out: int,
        change: str | None = None,
        attention: bool = False,
    ):
        super().__init__()
        self.change = change
        self.norm1 = nn.GroupNorm(config.groups, channels_in)
        self.conv1 = conv3(channels_in, channels_out)
        self.norm2 = nn.GroupNorm(config.groups, channels_out)
        self.time = nn.Linear(config.embedding_size, 2 * channels_out)
        self.semantic = nn.Linear(config.semantic_size, channels_out)
        self.dropout = nn.Dropout(config.dropout)
        self.conv2 = zeroed(conv3(channels_out, channels_out))
        self.skip = nn.Conv2d(channels_in, channels_out, 1) if channels_in != channels_out else nn.Identity()
        # No bias: an absent code (all channels zero) must contribute nothing.
        maps = config.morphology == "maps"
        self.maps = conv3(config.morphology_channels + 1, channels_in, bias=False) if maps else None
        self.attention = (
            SelfAttention(channels_out, config.heads, config.groups) if attention else nn.Identity()
        )

    def forward(self, x: Tensor, given: Conditions) -> Tensor:
        h = self.norm1(x)
        if self.maps is not None and given.maps is not None:
            h = h + self.maps(given.maps)
        h = self.conv1(resample(F.silu(h), self.change))
        scale, shift = self.time(F.silu(given.time))[..., None, None].chunk(2, dim=1)
        gain = 1 + self.semantic(F.silu(given.semantic))[..., None, None]
        # One pass over the image: both scales and the shift are merged while they are still vectors.
        h = torch.addcmul(gain * shift, self.norm2(h), gain * (1 + scale))
        h = self.conv2(self.dropout(F.silu(h)))
        return self.attention(self.skip(resample(x, self.change)) + h)


class Downsample(nn.Module):
    """Mean pooling; called like a residual block."""

    def forward(self, x: Tensor, given: Conditions) -> Tensor:
        return resample(x, "down")


class Upsample(nn.Module):
    """1x1 convolution to the next level's width, then nearest neighbour; called like a residual block."""

    def __init__(self, channels_in: int, channels_out: int):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor, given: Conditions) -> Tensor:
        return resample(self.conv(x), "up")


def _lists(levels: nn.ModuleList) -> list[nn.ModuleList]:
    """The lists of blocks, one a level, which a ModuleList types as modules."""
    return [level for level in levels if isinstance(level, nn.ModuleList)]


class Denoiser(nn.Module):
    """U-Net; H and W must be multiples of 2 ** (levels - 1)."""

    def __init__(self, config: DenoiserConfig):
        super().__init__()
        self.config = config
        widths = [config.base * multiplier for multiplier in config.multipliers]
        last = len(widths) - 1
        self.embedding = nn.Sequential(
            nn.Linear(config.base, config.embedding_size),
            nn.SiLU(),
            nn.Linear(config.embedding_size, config.embedding_size),
        )
        self.stem = conv3(1, widths[0])
        if config.morphology == "bottleneck":
            self.bottleneck = conv3(config.morphology_channels, config.morphology_channels)

        self.encoder, self.down = nn.ModuleList(), nn.ModuleList()
        channels, skips = widths[0], []
        for level, width in enumerate(widths):
            attention = level in config.attention_levels
            blocks, stack = nn.ModuleList(), [channels]
            for _ in range(config.encoder_blocks[level]):
                blocks.append(ResidualBlock(config, channels, width, attention=attention))
                channels = width
                stack.append(channels)
            self.encoder.append(blocks)
            skips.append(stack)
            if level < last:
                joined = config.morphology == "bottleneck" and level == BOTTLENECK_LEVEL
                extra = config.morphology_channels if joined else 0
                self.down.append(
                    ResidualBlock(config, channels + extra, channels, "down")
                    if config.residual_resample
                    else Downsample()
                )

        self.middle = nn.ModuleList(
            ResidualBlock(config, channels, channels, attention=attention) for attention in (True, False)
        )

        self.decoder, self.up = nn.ModuleList(), nn.ModuleList()
        for level in range(last, -1, -1):
            width, attention = widths[level], level in config.attention_levels
            blocks = nn.ModuleList()
            for _ in range(config.decoder_blocks[level]):
                skip = skips[level].pop() if skips[level] else 0
                blocks.append(ResidualBlock(config, channels + skip, width, attention=attention))
                channels = width
            self.decoder.append(blocks)
            if level > 0:
                if config.residual_resample:
                    self.up.append(ResidualBlock(config, channels, channels, "up"))
                else:
                    self.up.append(Upsample(channels, widths[level - 1]))
                    channels = widths[level - 1]
        self.out = nn.Sequential(nn.GroupNorm(config.groups, channels), nn.SiLU(), zeroed(conv3(channels, 1)))

    def forward(
        self,
        x: Tensor,
        time: Tensor,
        semantic: Tensor,
        morphology: Tensor | None = None,
        present: Tensor | None = None,
    ) -> Tensor:
        """The network's prediction (B, 1, H, W), epsilon or v as the preset says.

        x: (B, 1, H, W), the noisy slice.
        time: (B,), the schedule's network time, floating point or integer.
        semantic: (B, D), l_sem.
        morphology: l_mor, (B, C, H/16, W/16) for "bottleneck" or (B, C, H, W) for "maps"; None withholds it.
        present: (B,) bool, which samples are given their code; None means all. To withhold codes in training
            use this rather than ``morphology=None``, so that every parameter has a gradient in every step.
        """
        kind, last = self.config.morphology, len(self.encoder) - 1
        height, width = x.shape[2:]
        if height % 2**last or width % 2**last:
            raise ValueError(f"The denoiser takes sides divisible by {2**last}, not {height}x{width}.")
        if morphology is not None and kind is None:
            raise ValueError("This denoiser was built without a morphology code.")
        embedding = self.embedding(
            sinusoids(time, self.config.base, self.config.time_scale, self.config.time_period)
        )
        shown = x.new_ones(len(x)) if present is None else present.to(x.dtype)
        shown = shown[:, None, None, None]
        pyramid: list[Tensor | None] = [None] * (last + 1)
        if kind == "maps" and morphology is not None:
            # The last channel says "present"; it is the maps' bias, absent with them.
            code = torch.cat([morphology, torch.ones_like(morphology[:, :1])], dim=1) * shown
            code = code.contiguous(memory_format=torch.channels_last)
            pyramid = [F.avg_pool2d(code, 2**level) if level else code for level in range(last + 1)]
        conditions = [Conditions(embedding, semantic, maps) for maps in pyramid]

        h, skips = self.stem(x), []
        for level, blocks in enumerate(_lists(self.encoder)):
            stack = [h]
            for block in blocks:
                h = block(h, conditions[level])
                stack.append(h)
            skips.append(stack)
            if level < last:
                if kind == "bottleneck" and level == BOTTLENECK_LEVEL:
                    h = torch.cat([h, self._bottleneck_features(h, morphology, shown)], dim=1)
                h = self.down[level](h, conditions[level])

        for block in self.middle:
            h = block(h, conditions[last])

        for step, blocks in enumerate(_lists(self.decoder)):
            level = last - step
            for block in blocks:
                if skips[level]:
                    h = torch.cat([h, skips[level].pop()], dim=1)
                h = block(h, conditions[level])
            if level > 0:
                h = self.up[step](h, conditions[level])
        return self.out(h)

    def _bottleneck_features(self, h: Tensor, morphology: Tensor | None, shown: Tensor) -> Tensor:
        if morphology is None:
            return h.new_zeros(len(h), self.config.morphology_channels, *h.shape[2:])
        return self.bottleneck(morphology) * shown
