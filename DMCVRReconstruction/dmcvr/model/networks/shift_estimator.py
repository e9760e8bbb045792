"""The shift estimator: by how much each slice of a stack is displaced in its plane, from the slices' shapes.

A heart is smooth along its axis, but bent: where a slice belongs is told by its neighbours and by what hearts
look like. The network says how sure it is, slice by slice.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...anatomy.heart_frame import PIXEL_MM, REACH_MM
from .blocks import zeroed
from .presets import ShiftEstimatorConfig

STRUCTURES = 3
SIZE = 64
"""Pixels of PIXEL_MM along the square lattice of the slices that it works on."""
GAP_MM, SHIFT_MM = 10.0, 3.0
"""Gaps enter in units of the one, shifts leave in units of the other."""
SOFT_MM = 1.0
AREA_MM2 = 3000.0
WEIGHT_MM2 = 2500.0
"""A slice whose LV covers so much counts in full where shifts are averaged along the stack."""
LEAST_WEIGHT = 0.05
LEAST_SD_MM = 0.05


class SliceBlock(nn.Module):
    """3D convolution, group normalisation over the slices that there are, SiLU."""

    def __init__(self, channels_in: int, channels_out: int, groups: int, stride: int):
        super().__init__()
        self.groups = groups
        self.conv = nn.Conv3d(channels_in, channels_out, 3, (1, stride, stride), 1, bias=False)
        self.scale = nn.Parameter(torch.ones(channels_out))
        self.shift = nn.Parameter(torch.zeros(channels_out))

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """(B, C, S, H, W) to (B, C', S, H', W'); there: (B, 1, S, 1, 1), 0 for slices that fill up."""
        x = self.conv(x).float()
        parts = x.unflatten(1, (self.groups, -1))
        counts, axes = there[:, None], (2, 3, 4, 5)
        size = parts[0, 0, :, 0].numel() * counts.sum(axes, keepdim=True)
        mean = (parts * counts).sum(axes, keepdim=True) / size
        variance = ((parts - mean).square() * counts).sum(axes, keepdim=True) / size
        x = ((parts - mean) * (variance + 1e-5).rsqrt()).flatten(1, 2)
        return F.silu(x * self.scale[:, None, None, None] + self.shift[:, None, None, None]) * there


class ShiftEstimator(nn.Module):
    """3D convolutions that halve in plane only, then 1D ones along the stack; zero at initialisation."""

    def __init__(self, config: ShiftEstimatorConfig):
        super().__init__()
        self.config = config
        self.slices = nn.ModuleList()
        before = 4 * STRUCTURES + 3
        for level, width in enumerate(config.widths):
            for index in range(2):
                stride = 2 if level and not index else 1
                self.slices.append(SliceBlock(before, width, config.groups, stride))
                before = width
        left = SIZE // 2 ** len(config.widths)
        self.code = nn.Linear(before * left**2, config.code)
        # Beside the code: area, and the centre's x and y, of each structure.
        self.entry = nn.Conv1d(config.code + 3 * STRUCTURES, config.code, 3, padding=1)
        self.along = nn.ModuleList(
            nn.Conv1d(config.code, config.code, 3, padding=dilation, dilation=dilation)
            for dilation in config.dilations
        )
        self.head = zeroed(nn.Conv1d(config.code, 3, 1))

    def forward(self, maps: Tensor, gaps: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Shifts (B, S, 2) in mm along x and y, their mean by `weights` 0, and standard deviations (B, S) mm.

        maps: (B, S, 3, SIZE, SIZE) nested distances in mm in the frame of `anatomy.heart_frame`, slices from
            apex to base. gaps: (B, S, 2) mm to the slice before and after, 0 where there is none. present:
            (B, S) 1 for slices, 0 for what fills up the batch.
        """
        batch, count = present.shape
        maps = maps.clamp(-REACH_MM, REACH_MM)
        there = present[:, :, None, None, None]
        x = F.pixel_unshuffle((maps / REACH_MM).flatten(0, 1), 2).unflatten(0, (batch, count))
        numbers = torch.cat([gaps / GAP_MM, present[..., None]], 2)[..., None, None]
        x = torch.cat([x, numbers.expand(-1, -1, -1, *x.shape[3:])], 2) * there
        x = x.transpose(1, 2)
        for block in self.slices:
            x = block(x, there.transpose(1, 2))
        x = self.code(x.transpose(1, 2).flatten(2))
        x = torch.cat([x, moments(maps, present)], 2) * present[..., None]
        x = self.entry(x.transpose(1, 2))
        for layer in self.along:
            # What fills up is as empty as what lies beyond the ends.
            x = x + layer(F.silu(x) * present[:, None])
        shift, spread = self.head(F.silu(x)).float().transpose(1, 2).split([2, 1], 2)
        shift = centred(shift * SHIFT_MM, weights(maps, present))
        return shift, F.softplus(spread[..., 0] + 0.5) * present + LEAST_SD_MM


def moments(maps: Tensor, present: Tensor) -> Tensor:
    """(B, S, 9) area, x and y of the centre of each structure, 0 where it is absent; centres in units of
    SHIFT_MM about the mean centre of the LV.

    maps: (B, S, 3, H, W) mm. present: (B, S).
    """
    soft = torch.sigmoid(maps.float() / SOFT_MM) * (maps > -REACH_MM / 2)
    along = (torch.arange(maps.shape[-1], device=maps.device) - (maps.shape[-1] - 1) / 2) * PIXEL_MM
    area = soft.sum((-2, -1))
    centre = torch.stack([(soft.sum(-2) * along).sum(-1), (soft.sum(-1) * along).sum(-1)], -1)
    centre = centre / area.clamp_min(1)[..., None]
    shown = (area > 4)[..., None] & (present[..., None, None] > 0)
    lv = shown[:, :, 1]
    middle = (centre[:, :, 1] * lv).sum(1) / lv.sum(1).clamp_min(1)
    centre = (centre - middle[:, None, None]) * shown / (5 * SHIFT_MM)
    return torch.cat([area * PIXEL_MM**2 / AREA_MM2, centre.flatten(2)], 2)


def weights(maps: Tensor, present: Tensor) -> Tensor:
    """(B, S) how much each slice counts in the stack's mean: by the area of its LV."""
    area = (maps[:, :, 1] > 0).sum((-2, -1)) * PIXEL_MM**2
    return (area / WEIGHT_MM2).clamp(LEAST_WEIGHT, 1) * present


def centred(shifts: Tensor, weight: Tensor) -> Tensor:
    """Shifts (B, S, 2) without their mean by ``weight`` (B, S), which nothing tells; 0 where that is 0."""
    mean = (shifts * weight[..., None]).sum(1, keepdim=True) / weight.sum(1)[:, None, None]
    return (shifts - mean) * (weight > 0)[..., None]
