"""Training of the shift estimator: stacks of simulated hearts, their slices displaced on purpose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..anatomy.heart_frame import PIXEL_MM
from ..anatomy.signed_distances import labels_from_distances
from ..model.device import autocast
from ..model.networks.presets import ShiftEstimatorConfig
from ..model.networks.shift_estimator import SHIFT_MM, SIZE, ShiftEstimator, centred, weights
from .heart_distances import HeartDistances
from .pictures import outlined, tiled
from .simulated_stacks import SimulatedStack, StackStyle, simulated_stack

WARP_MM = 1.0
"""Of hearts, little: a warp bends their axis, and looks like shifts."""
JUMP_SHARE, MISTAKEN_SHARE = 0.12, 0.3
"""Stacks in which the patient moved, and in which a segmenter's mistakes are."""
SPREAD_WEIGHT = 0.2
TRIED, TRIED_SD_MM = 24, (2.0, 0.0)
"""Stacks that a run scores itself on, for each of these standard deviations of the shifts."""
SHOWN = 6


@dataclass(frozen=True)
class ShiftBatch:
    """Stacks filled up to one length. maps, gaps, present: as in `ShiftEstimator`. shifts: (B, S, 2) mm,
    their mean by ``weight`` (B, S) 0.
    """

    maps: Tensor
    gaps: Tensor
    present: Tensor
    shifts: Tensor
    weight: Tensor

    def to(self, device: torch.device) -> ShiftBatch:
        """The same on a device."""
        return ShiftBatch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class ShiftEstimatorTask:
    """See `task.Task`. hearts, held_out: to simulate stacks of; the latter None where none are kept apart."""

    hearts: HeartDistances
    held_out: HeartDistances | None
    config: ShiftEstimatorConfig
    device: torch.device
    part = "shifts"

    def build(self) -> ShiftEstimator:
        return ShiftEstimator(self.config)

    def loss(self, module: nn.Module, count: int) -> Tensor:
        """How far the shifts are off, in units of SHIFT_MM, and how unlikely that is by what the network says
        of its certainty.
        """
        styles = [
            StackStyle(
                jump_share=JUMP_SHARE,
                warp_mm=WARP_MM,
                mistakes=bool(torch.rand(()) < MISTAKEN_SHARE),
                size=SIZE,
            )
            for _ in range(count)
        ]
        batch = batch_of([simulated_stack(self._random_heart(), style) for style in styles]).to(self.device)
        with autocast(self.device):
            found, spread = module(batch.maps, batch.gaps, batch.present)
        error = (found - batch.shifts) / SHIFT_MM
        robust = F.smooth_l1_loss(error, torch.zeros_like(error), reduction="none", beta=0.3).sum(-1)
        # Of the spread alone, so that slices which are hard to tell do not hide behind it.
        square = error.detach().square().sum(-1) / 2
        unlikely = torch.log(spread / SHIFT_MM) + square / (2 * (spread / SHIFT_MM).square())
        return ((robust + SPREAD_WEIGHT * unlikely) * batch.weight).sum() / batch.weight.sum()

    @torch.no_grad()
    def scores(self, module: nn.Module) -> dict[str, float]:
        """What is left of shifts of stacks made of hearts kept apart, or of all where none are: root mean
        square over slices and both directions, mm.
        """
        out = {}
        for sd, batch in self._tried.items():
            with autocast(self.device):
                found, spread = module(batch.maps, batch.gaps, batch.present)
            for name, left in (("given", batch.shifts), ("left", batch.shifts - found)):
                out[f"shifts of {sd:g} mm, {name}"] = root_mean_square(left, batch.weight)
            out[f"shifts of {sd:g} mm, expected"] = root_mean_square(
                spread[..., None].expand_as(found), batch.weight
            )
        return out

    @torch.no_grad()
    def picture(self, module: nn.Module) -> np.ndarray:
        """Cuts along the stacks' axes: as they are given, and put in register."""
        batch = self._tried[TRIED_SD_MM[0]]
        found, _ = module(batch.maps[:SHOWN], batch.gaps[:SHOWN], batch.present[:SHOWN])
        rows: list[list[np.ndarray]] = [[], []]
        for maps, shifts in zip(batch.maps, found, strict=False):
            rows[0].append(long_cut(maps))
            rows[1].append(long_cut(moved_maps(maps, -shifts)))
        return tiled(rows)

    @cached_property
    def _tried(self) -> dict[float, ShiftBatch]:
        hearts = self.hearts if self.held_out is None else self.held_out
        out = {}
        with torch.random.fork_rng():
            torch.manual_seed(0)
            for sd in TRIED_SD_MM:
                chosen = [torch.from_numpy(hearts.distances[k % len(hearts)]) for k in range(TRIED)]
                stacks = [
                    simulated_stack(heart, StackStyle(shift_sd_mm=sd, warp_mm=WARP_MM)) for heart in chosen
                ]
                out[sd] = batch_of(stacks).to(self.device)
        return out

    def _random_heart(self) -> Tensor:
        return torch.from_numpy(self.hearts.distances[int(torch.randint(len(self.hearts), ()))])


def batch_of(stacks: list[SimulatedStack]) -> ShiftBatch:
    """Stacks as a batch, the shorter ones filled up."""
    count, length = len(stacks), max(len(stack.positions) for stack in stacks)
    maps = torch.zeros(count, length, *stacks[0].maps.shape[1:])
    gaps, shifts = torch.zeros(2, count, length, 2)
    present = torch.zeros(count, length)
    for row, stack in enumerate(stacks):
        size = len(stack.positions)
        maps[row, :size], present[row, :size], shifts[row, :size] = stack.maps, 1, stack.shifts
        gaps[row, 1:size, 0] = gaps[row, : size - 1, 1] = stack.positions.diff()
    weight = weights(maps, present)
    return ShiftBatch(maps, gaps, present, centred(shifts, weight), weight)


def root_mean_square(values: Tensor, weight: Tensor) -> float:
    """Of values (B, S, 2), weighted by (B, S)."""
    return math.sqrt(float((values.square().mean(-1) * weight).sum() / weight.sum()))


def moved_maps(maps: Tensor, shifts: Tensor) -> Tensor:
    """Maps (S, 3, SIZE, SIZE) moved by ``shifts`` (S, 2) mm along x and y."""
    theta = torch.eye(2, 3, device=maps.device).repeat(len(maps), 1, 1)
    theta[:, :, 2] = -shifts / (SIZE * PIXEL_MM / 2)
    grid = F.affine_grid(theta, list(maps.shape), align_corners=False)
    return F.grid_sample(maps, grid, padding_mode="border", align_corners=False)


def long_cut(maps: Tensor) -> np.ndarray:
    """A picture (.., .., 3) of the stack's middle row, every slice as high as four pixels."""
    row = labels_from_distances(maps[:, :, SIZE // 2 - 1 : SIZE // 2].cpu().numpy())[:, 0]
    tall = np.zeros((SIZE, SIZE), np.uint8)
    filled = row[::-1].repeat(3, 0)[:SIZE]
    tall[: len(filled)] = filled
    return outlined(np.zeros(tall.shape), tall)
