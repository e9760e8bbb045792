"""The shape completer: the heart's dense shape, apex and base included, from the shapes of a few slices.

Slices' nested distances lie on the straight line between one another (eq. 5); beyond the end slices those are
repeated. A 3D U-Net adds a residual, toward distances in 3D.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...anatomy.heart_frame import REACH_MM
from .blocks import zeroed
from .presets import ShapeCompleterConfig

STRUCTURES = 3
SLICE_MM = 3.0
"""Between the lattice's places along the stack; in plane it is PIXEL_MM."""
APEX_WALL_MM = 4.0
"""Muscle that closes a cavity whose apex lies further than a gap beyond the stack."""
NUMBER_MM, FARTHEST = 10.0, 2.5
"""Lengths along the stack enter in units of this, and up to so many."""
CHANNELS = STRUCTURES + 3


def straight_line(maps: Tensor, positions: Tensor, wanted: Tensor) -> Tensor:
    """(Z, 3, H, W) mm at ``wanted`` (Z,) mm: the line through the slices' maps (S, 3, H, W), clipped to
    REACH_MM; beyond the ends those of the end slices. positions: (S,) mm, increasing.
    """
    maps = maps.clamp(-REACH_MM, REACH_MM)
    below = (torch.searchsorted(positions, wanted, right=True) - 1).clamp(0, len(positions) - 2)
    gap = positions[below + 1] - positions[below]
    fraction = ((wanted - positions[below]) / gap).clamp(0, 1)[:, None, None, None]
    return torch.lerp(maps[below], maps[below + 1], fraction.to(maps.dtype))


def completer_input(maps: Tensor, positions: Tensor, wanted: Tensor) -> Tensor:
    """(CHANNELS, Z, H, W) of the slices' maps (S, 3, H, W) in mm: the straight line, how far the nearest
    slice is, how far beyond the stack the place is (negative beyond the apex), and the gap between slices.

    positions: (S,) mm from apex to base, increasing; wanted: (Z,) mm, SLICE_MM apart.
    """
    line = straight_line(maps, positions, wanted) / REACH_MM
    nearest = (wanted[:, None] - positions).abs().amin(1)
    beyond = (wanted - positions[-1]).clamp_min(0) - (positions[0] - wanted).clamp_min(0)
    below = (torch.searchsorted(positions, wanted, right=True) - 1).clamp(0, len(positions) - 2)
    gap = positions[below + 1] - positions[below]
    numbers = (torch.stack([nearest, beyond, gap], 1) / NUMBER_MM).clamp(-FARTHEST, FARTHEST)
    numbers = numbers[..., None, None].expand(-1, -1, *line.shape[2:]).to(line.dtype)
    return torch.cat([line, numbers], 1).movedim(1, 0)


class ShapeCompleter(nn.Module):
    """A small 3D U-Net, zero at initialisation. It works at half the lattice's resolution in plane, since
    what is learned is smooth.
    """

    def __init__(self, config: ShapeCompleterConfig):
        super().__init__()
        self.config = config
        widths = config.widths
        self.stem = nn.Conv3d(4 * CHANNELS, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            self._stage(before, width)
            for before, width in zip((widths[0], *widths[:-1]), widths, strict=True)
        )
        self.up = nn.ModuleList(
            self._stage(wide + narrow, narrow)
            for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.head = zeroed(nn.Conv3d(widths[0], STRUCTURES, 3, padding=1))

    def _stage(self, channels_in: int, channels_out: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for channels in (channels_in, channels_out):
            layers += [
                nn.Conv3d(channels, channels_out, 3, padding=1, bias=False),
                nn.GroupNorm(self.config.groups, channels_out),
                nn.SiLU(),
            ]
        return nn.Sequential(*layers)

    @property
    def multiple(self) -> tuple[int, int]:
        """Z, and H and W, of the input are multiples of these."""
        levels = 2 ** (len(self.config.widths) - 1)
        return levels, 2 * levels

    def forward(self, x: Tensor) -> Tensor:
        """Distances (B, 3, Z, H, W) in mm, positive inside, of inputs (B, CHANNELS, Z, H, W); see
        `completer_input` and `multiple`.
        """
        line = x[:, :STRUCTURES]
        batch, channels, depth, height, width = x.shape
        x = x.view(batch, channels, depth, height // 2, 2, width // 2, 2).permute(0, 1, 4, 6, 2, 3, 5)
        x = self.stem(x.reshape(batch, 4 * channels, depth, height // 2, width // 2))
        skips = []
        for level, stage in enumerate(self.down):
            x = stage(F.avg_pool3d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for stage in self.up:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = stage(torch.cat([x, skips.pop()], 1))
        residual = self.head(x).float()
        residual = F.interpolate(residual, scale_factor=(1, 2, 2), mode="trilinear", align_corners=False)
        return (line.float() + residual) * REACH_MM
