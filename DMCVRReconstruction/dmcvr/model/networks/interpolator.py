"""The shape interpolator: how the heart's shape between slices bends away from the straight line of eq. 5.

It sees shapes alone, no image, so drawn shapes of any origin can train it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import ConvBlock, conv3, zeroed
from .presets import InterpolatorConfig

STRUCTURES = 3
SLICES = 4
"""The two slices about the wanted place, and the next one beyond each."""
GAP_MM = 20.0
"""Gaps enter in units of this."""
MAP_LIMIT = 3.0
"""Distances enter in such units that the farthest is this."""
BEND_MM = 10.0
"""The head answers in units of this, reached half-way between the slices."""


class ShapeInterpolator(nn.Module):
    """A small U-Net on nested signed distances, zero at initialisation.

    The patch of each input pixel is folded into channels and each output pixel stands for a patch, since what
    is learned is smooth.
    """

    def __init__(self, config: InterpolatorConfig):
        super().__init__()
        self.config = config
        widths = [config.base * multiplier for multiplier in config.multipliers]
        # Beside the maps: fraction, gap, and whether there is a slice beyond either end.
        channels = (SLICES * STRUCTURES + 4) * config.patch**2
        self.stem = conv3(channels, widths[0])
        inner = [widths[0], *widths]
        self.down = nn.ModuleList(self._stage(inner[k], width) for k, width in enumerate(widths))
        self.middle = self._stage(widths[-1], widths[-1])
        self.up = nn.ModuleList(
            self._stage(wide + narrow, narrow)
            for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.head = nn.Sequential(
            nn.GroupNorm(config.groups, widths[0]), nn.SiLU(), zeroed(conv3(widths[0], STRUCTURES))
        )

    def _stage(self, channels_in: int, channels_out: int) -> nn.Sequential:
        groups = self.config.groups
        return nn.Sequential(
            ConvBlock(channels_in, channels_out, groups), ConvBlock(channels_out, channels_out, groups)
        )

    def forward(self, maps: Tensor, beyond: Tensor, fraction: Tensor, gap: Tensor) -> Tensor:
        """The difference (B, 3, H, W) in mm to the straight line; 0 at both ends of it.

        maps: (B, 4, 3, H, W) mm, of the slice before, the one after, and the ones beyond these; the same
            in-plane frame. beyond: (B, 2) 1 where there is such a slice beyond, else 0, and its maps do not
            count. fraction: (B,) of the way from before to after. gap: (B,) mm between the two.
        """
        config = self.config
        count, _, _, height, width = maps.shape
        absent = torch.cat([torch.ones_like(beyond), beyond], 1)[:, :, None, None, None] == 0
        maps = maps.clamp(-config.reach_mm, config.reach_mm).masked_fill(absent, -config.reach_mm)
        numbers = torch.stack([fraction, gap / GAP_MM, beyond[:, 0], beyond[:, 1]], 1)[:, :, None, None]
        x = torch.cat(
            [maps.flatten(1, 2) / config.reach_mm * MAP_LIMIT, numbers.expand(count, -1, height, width)], 1
        )
        x = self.stem(F.pixel_unshuffle(x, config.patch))
        skips = []
        for level, stage in enumerate(self.down):
            x = stage(F.avg_pool2d(x, 2) if level else x)
            skips.append(x)
        x = self.middle(skips.pop())
        for stage in self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = stage(torch.cat([x, skips.pop()], 1))
        bend = F.interpolate(self.head(x), scale_factor=config.patch, mode="bilinear", align_corners=False)
        rise = 4 * fraction * (1 - fraction)
        return BEND_MM * rise[:, None, None, None] * bend
