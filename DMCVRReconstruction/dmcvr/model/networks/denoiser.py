"""The denoising U-Net conditioned on time, on l_sem and on l_mor (DMCVR section 2.1, equations 1 and 4).

DiffAE's form of adaptive group normalisation, in every residual block:

    h = (1 + z) * ((1 + t_scale) * norm(h) + t_shift)

with t from the time embedding and the channel scale z from l_sem. The morphology code enters as
`DenoiserConfig.morphology` says. A code that is withheld contributes exactly zero, whether ``morphology`` is
None (whole batch) or ``present`` is false (single samples), so a network trained with some samples' codes
withheld also runs without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import SelfAttention, conv3, resample, sinusoids, zeroed
from .presets import BOTTLENECK_LEVEL, DenoiserConfig


class BlockCode(NamedTuple):
    """What one residual block makes of a batch's codes: the gain (B, C, 1, 1) from l_sem, 1 + z above, and of
    the maps what is added to its normalised input (B, C_in, h, w), or None.
    """

    gain: Tensor
    maps: Tensor | None


class BoundCodes(NamedTuple):
    """A batch's codes as the parts of the network take them, the same at every noise level.

    blocks: by residual block. features: (B, C, H/16, W/16), the morphology code at the bottleneck, or None.
    """

    blocks: Mapping[nn.Module, BlockCode]
    features: Tensor | None


class Conditions(NamedTuple):
    """What the blocks are told: time (B, E), and the codes of each."""

    time: Tensor
    codes: Mapping[nn.Module, BlockCode]


class ResidualBlock(nn.Module):
    """Conditional residual block, followed by self-attention if asked; may change the resolution.

    channels: in and out. level: how often the resolution of its input has been halved.
    """

    def __init__(
        self,
        config: DenoiserConfig,
        channels: tuple[int, int],
        level: int,
        change: str | None = None,
        attention: bool = False,
    ):
        super().__init__()
        channels_in, channels_out = channels
        self.level, self.change = level, change
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

    def bind(self, semantic: Tensor, maps: Tensor | None) -> BlockCode:
        """Its share of l_sem (B, D) and of the maps (B, M + 1, h, w) at its input's resolution, or None."""
        gain = 1 + self.semantic(F.silu(semantic))[..., None, None]
        return BlockCode(gain, None if self.maps is None or maps is None else self.maps(maps))

    def forward(self, x: Tensor, given: Conditions) -> Tensor:
        code = given.codes[self]
        h = self.norm1(x)
        if code.maps is not None:
            h = h + code.maps
        h = self.conv1(resample(F.silu(h), self.change))
        scale, shift = self.time(F.silu(given.time))[..., None, None].chunk(2, dim=1)
        # One pass over the image: both scales and the shift are merged while they are still vectors.
        h = torch.addcmul(code.gain * shift, self.norm2(h), code.gain * (1 + scale))
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
                blocks.append(ResidualBlock(config, (channels, width), level, attention=attention))
                channels = width
                stack.append(channels)
            self.encoder.append(blocks)
            skips.append(stack)
            if level < last:
                joined = config.morphology == "bottleneck" and level == BOTTLENECK_LEVEL
                extra = config.morphology_channels if joined else 0
                self.down.append(
                    ResidualBlock(config, (channels + extra, channels), level, "down")
                    if config.residual_resample
                    else Downsample()
                )

        self.middle = nn.ModuleList(
            ResidualBlock(config, (channels, channels), last, attention=attention)
            for attention in (True, False)
        )

        self.decoder, self.up = nn.ModuleList(), nn.ModuleList()
        for level in range(last, -1, -1):
            width, attention = widths[level], level in config.attention_levels
            blocks = nn.ModuleList()
            for _ in range(config.decoder_blocks[level]):
                skip = skips[level].pop() if skips[level] else 0
                blocks.append(ResidualBlock(config, (channels + skip, width), level, attention=attention))
                channels = width
            self.decoder.append(blocks)
            if level > 0:
                if config.residual_resample:
                    self.up.append(ResidualBlock(config, (channels, channels), level, "up"))
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
        return self.predict(x, time, self.bind(semantic, morphology, present))

    def bind(
        self, semantic: Tensor, morphology: Tensor | None = None, present: Tensor | None = None
    ) -> BoundCodes:
        """The codes as `predict` takes them, arguments as in `forward`: what does not depend on the noise is
        computed once for all its levels.
        """
        pyramid: list[Tensor | None] = [None] * len(self.encoder)
        features = None
        if morphology is not None:
            shown = morphology.new_ones(len(morphology)) if present is None else present.to(morphology.dtype)
            shown = shown[:, None, None, None]
            if self.config.morphology == "maps":
                # The last channel says "present"; it is the maps' bias, absent with them.
                code = torch.cat([morphology, torch.ones_like(morphology[:, :1])], dim=1) * shown
                code = code.contiguous(memory_format=torch.channels_last)
                pyramid = [F.avg_pool2d(code, 2**level) if level else code for level in range(len(pyramid))]
            elif self.config.morphology == "bottleneck":
                features = self.bottleneck(morphology) * shown
            else:
                raise ValueError("This denoiser was built without a morphology code.")
        blocks = (module for module in self.modules() if isinstance(module, ResidualBlock))
        return BoundCodes({block: block.bind(semantic, pyramid[block.level]) for block in blocks}, features)

    def predict(self, x: Tensor, time: Tensor, codes: BoundCodes) -> Tensor:
        """`forward` with its codes bound."""
        last = len(self.encoder) - 1
        height, width = x.shape[2:]
        if height % 2**last or width % 2**last:
            raise ValueError(f"The denoiser takes sides divisible by {2**last}, not {height}x{width}.")
        embedding = self.embedding(
            sinusoids(time, self.config.base, self.config.time_scale, self.config.time_period)
        )
        given = Conditions(embedding, codes.blocks)

        h, skips = self.stem(x), []
        for level, blocks in enumerate(_lists(self.encoder)):
            stack = [h]
            for block in blocks:
                h = block(h, given)
                stack.append(h)
            skips.append(stack)
            if level < last:
                if self.config.morphology == "bottleneck" and level == BOTTLENECK_LEVEL:
                    h = torch.cat([h, self._features_at(h, codes.features)], dim=1)
                h = self.down[level](h, given)

        for block in self.middle:
            h = block(h, given)

        for step, blocks in enumerate(_lists(self.decoder)):
            level = last - step
            for block in blocks:
                if skips[level]:
                    h = torch.cat([h, skips[level].pop()], dim=1)
                h = block(h, given)
            if level > 0:
                h = self.up[step](h, given)
        return self.out(h)

    def _features_at(self, h: Tensor, features: Tensor | None) -> Tensor:
        if features is None:
            return h.new_zeros(len(h), self.config.morphology_channels, *h.shape[2:])
        return features
