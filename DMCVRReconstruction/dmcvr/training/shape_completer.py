"""Training of the shape completer: stacks of simulated hearts, of which the whole shape is to be found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from ..anatomy.heart_frame import PIXEL_MM, REACH_MM
from ..anatomy.signed_distances import labels_from_distances
from ..core.labels import NAMES
from ..model.device import autocast
from ..model.networks.presets import ShapeCompleterConfig
from ..model.networks.shape_completer import SLICE_MM, ShapeCompleter, completer_input
from .heart_distances import HeartDistances
from .pictures import outlined, tiled
from .simulated_stacks import SimulatedStack, StackStyle, simulated_stack

SIZE = 64
"""Of the lattice in plane at most: 160 mm."""
MULTIPLE, MARGIN_MM = (4, 8), 10.0
"""The lattice's sides along the stack and in plane are multiples of these; it goes on beyond the heart."""
STYLE = StackStyle(largest_shift_sd_mm=1.2, size=SIZE)
TRIED_STYLE = StackStyle(shift_sd_mm=0.7, size=SIZE)
NEAR_MM, EDGE_MM = 6.0, 0.8
"""Differences count up to this far from a boundary; boundaries are so soft where volumes are compared."""
DICE_WEIGHT, VOLUME_WEIGHT = 0.4, 0.3
TRIED, SHOWN = 24, 6


@dataclass(frozen=True)
class ShapeCompleterTask:
    """See `task.Task`. hearts, held_out: to simulate stacks of; the latter None where none are kept apart."""

    hearts: HeartDistances
    held_out: HeartDistances | None
    config: ShapeCompleterConfig
    device: torch.device
    part = "shape"

    def build(self) -> ShapeCompleter:
        return ShapeCompleter(self.config)

    def loss(self, module: nn.Module, count: int) -> Tensor:
        """Differences in mm near the boundaries, soft Dice of the three structures, and their volumes; the
        mean of stacks one by one, for each has a lattice of its own.
        """
        losses = []
        for _ in range(count):
            x, truth = sample_of(self.hearts, int(torch.randint(len(self.hearts), ())), STYLE)
            x = x[None].to(self.device).contiguous(memory_format=torch.channels_last_3d)
            with autocast(self.device):
                found = module(x)
            losses.append(completion_loss(found, truth[None].to(self.device)))
        return torch.stack(losses).mean()

    @torch.no_grad()
    def scores(self, module: nn.Module) -> dict[str, float]:
        """Mean 3D Dice and volume ratio of each structure, of the network and of the straight line, and the
        hole in the apex, over stacks of hearts kept apart, or of all where none are.
        """
        rows: dict[str, list[float]] = {}
        for x, truth in self._tried:
            with autocast(self.device):
                found = module(x[None].to(self.device))[0].cpu()
            for name, maps in (("", found), ("straight line's ", x[:3] * REACH_MM)):
                for key, value in shape_scores(maps, truth).items():
                    rows.setdefault(name + key, []).append(value)
        return {name: float(np.mean(values)) for name, values in rows.items()}

    @torch.no_grad()
    def picture(self, module: nn.Module) -> np.ndarray:
        """Cuts through the axis: the truth above, the straight line in the middle, what is found below."""
        rows: list[list[np.ndarray]] = [[], [], []]
        for x, truth in self._tried[:SHOWN]:
            found = module(x[None].to(self.device))[0].cpu()
            for row, maps in zip(rows, (truth, x[:3] * REACH_MM, found), strict=True):
                cut = np.zeros((SIZE, SIZE), np.uint8)
                drawn = labels_from_distances(
                    maps[:, :, maps.shape[2] // 2].movedim(1, 0)[:, :, None].numpy()
                )
                drawn = drawn[::-1, 0]
                cut[: len(drawn), : drawn.shape[1]] = drawn[:SIZE]
                row.append(outlined(np.zeros(cut.shape), cut))
        return tiled(rows)

    @cached_property
    def _tried(self) -> list[tuple[Tensor, Tensor]]:
        hearts = self.hearts if self.held_out is None else self.held_out
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return [sample_of(hearts, k % len(hearts), TRIED_STYLE) for k in range(TRIED)]


def sample_of(hearts: HeartDistances, index: int, style: StackStyle) -> tuple[Tensor, Tensor]:
    """The network's input (CHANNELS, Z, H, W), and the truth (3, Z, H, W) mm, of a random stack of one heart,
    on a lattice that just holds it.
    """
    stack = simulated_stack(torch.from_numpy(hearts.distances[index]), style)
    depth, height, width = lattice_of(stack)
    rows, columns = (slice((SIZE - count) // 2, (SIZE + count) // 2) for count in (height, width))
    dense = stack.dense_positions(depth)
    given = completer_input(stack.maps[:, :, rows, columns], stack.positions, dense)
    return given, stack.truth(dense, SIZE)[:, :, rows, columns]


def lattice_of(stack: SimulatedStack) -> tuple[int, int, int]:
    """Z, H and W that hold the heart of ``stack`` and a gap beyond its ends, at most SIZE in plane."""
    reach = float(stack.positions[-1] - stack.positions[0]) + 2 * stack.gap
    seen = (stack.maps > 0).any(0).any(0)
    sides = []
    for axis in (1, 0):
        shown = seen.any(axis).nonzero()[:, 0] - (SIZE - 1) / 2
        half = float(shown.abs().max()) + MARGIN_MM / PIXEL_MM
        sides.append(min(SIZE, math.ceil(2 * half / MULTIPLE[1]) * MULTIPLE[1]))
    return math.ceil((reach / SLICE_MM + 1) / MULTIPLE[0]) * MULTIPLE[0], sides[0], sides[1]


def completion_loss(found: Tensor, truth: Tensor) -> Tensor:
    """found, truth: (B, 3, Z, H, W) mm."""
    near = (found.clamp(-NEAR_MM, NEAR_MM) - truth.clamp(-NEAR_MM, NEAR_MM)).abs()
    # The same within reach of a boundary as the mean over all, whatever the heart's size.
    counts = truth.abs() < NEAR_MM
    distance = (near * counts).sum() / counts.sum() + near.mean()
    mine, real = shares(found), shares(truth)
    overlap, total = (mine * real).sum((2, 3, 4)), (mine + real).sum((2, 3, 4))
    dice = 1 - ((2 * overlap + 1) / (total + 1)).mean()
    volume, true_volume = mine.sum((2, 3, 4)), real.sum((2, 3, 4))
    volumes = ((volume - true_volume) / (true_volume + 100)).abs().clamp_max(1).mean()
    return distance / NEAR_MM + DICE_WEIGHT * dice + VOLUME_WEIGHT * volumes


def shares(maps: Tensor) -> Tensor:
    """(B, 3, Z, H, W) soft masks of LVC, LVM and RVC of nested distances in mm."""
    cavity, whole, right = torch.sigmoid(maps / EDGE_MM).unbind(1)
    cavity = torch.minimum(cavity, whole)
    return torch.stack([cavity, whole - cavity, right * (1 - whole)], 1)


def shape_scores(found: Tensor, truth: Tensor) -> dict[str, float]:
    """Dice, and volume over the true one, of LVC, LVM and RVC, and the hole in mm2, of maps (3, Z, H, W)."""
    mine, real = (labels_from_distances(maps.movedim(0, 1).numpy()) for maps in (found, truth))
    out = {}
    for label, name in NAMES.items():
        a, b = mine == label, real == label
        out[f"Dice {name}"] = 2 * (a & b).sum() / max(a.sum() + b.sum(), 1)
        out[f"volume {name}"] = a.sum() / max(b.sum(), 1)
    return {**out, "hole mm2": apical_hole(found)}


def apical_hole(maps: Tensor) -> float:
    """mm2 over which the LV's cavity touches the outside in its apical half, of maps (3, Z, H, W)."""
    labels = labels_from_distances(maps.movedim(0, 1).numpy())
    cavity, outside = labels == 1, labels == 0
    shown = np.flatnonzero(cavity.any((1, 2)))
    if not len(shown):
        return 0.0
    cavity[(shown[0] + shown[-1]) // 2 :] = False
    area = ((1, SLICE_MM * PIXEL_MM), (2, SLICE_MM * PIXEL_MM), (0, PIXEL_MM**2))
    touches = ((cavity & np.roll(outside, step, axis)).sum() * mm2 for axis, mm2 in area for step in (1, -1))
    return float(sum(touches))
