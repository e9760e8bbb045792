"""Training of the shape completer: stacks of simulated hearts, of which the whole shape is to be found."""

from __future__ import annotations

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
from .simulated_stacks import StackStyle, simulated_stack

SIZE, DEPTH = 64, 48
"""The lattice trained on: 160 x 160 x 144 mm."""
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
        """Differences in mm near the boundaries, soft Dice of the three structures, and their volumes."""
        picked = [int(torch.randint(len(self.hearts), ())) for _ in range(count)]
        x, truth = batch_of(self.hearts, picked, STYLE)
        x = x.to(self.device).contiguous(memory_format=torch.channels_last_3d)
        with autocast(self.device):
            found = module(x)
        return completion_loss(found, truth.to(self.device))

    @torch.no_grad()
    def scores(self, module: nn.Module) -> dict[str, float]:
        """Mean 3D Dice and volume ratio of each structure, of the network and of the straight line, and the
        hole in the apex, over stacks of hearts kept apart, or of all where none are.
        """
        rows: dict[str, list[float]] = {}
        for x, truth in zip(*self._tried, strict=True):
            with autocast(self.device):
                found = module(x[None].to(self.device))[0].cpu()
            for name, maps in (("", found), ("straight line's ", x[:3] * REACH_MM)):
                for key, value in shape_scores(maps, truth).items():
                    rows.setdefault(name + key, []).append(value)
        return {name: float(np.mean(values)) for name, values in rows.items()}

    @torch.no_grad()
    def picture(self, module: nn.Module) -> np.ndarray:
        """Cuts through the axis: the truth above, the straight line in the middle, what is found below."""
        x, truth = (item[:SHOWN] for item in self._tried)
        found = module(x.to(self.device)).cpu()
        rows = []
        for maps in (truth, x[:, :3] * REACH_MM, found):
            cuts = labels_from_distances(maps[:, :, :, SIZE // 2].transpose(1, 2).movedim(2, 1).numpy())
            rows.append([outlined(np.zeros(cut.shape), cut[::-1]) for cut in cuts])
        return tiled(rows)

    @cached_property
    def _tried(self) -> tuple[Tensor, Tensor]:
        hearts = self.hearts if self.held_out is None else self.held_out
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return batch_of(hearts, [k % len(hearts) for k in range(TRIED)], TRIED_STYLE)


def batch_of(hearts: HeartDistances, picked: list[int], style: StackStyle) -> tuple[Tensor, Tensor]:
    """The network's input (B, CHANNELS, DEPTH, SIZE, SIZE), and the truth (B, 3, DEPTH, SIZE, SIZE) mm, of
    random stacks of the hearts ``picked``.
    """
    inputs, truths = [], []
    for index in picked:
        stack = simulated_stack(torch.from_numpy(hearts.distances[index]), style)
        dense = stack.dense_positions(DEPTH)
        inputs.append(completer_input(stack.maps, stack.positions, dense))
        truths.append(stack.truth(dense, SIZE))
    return torch.stack(inputs), torch.stack(truths)


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
