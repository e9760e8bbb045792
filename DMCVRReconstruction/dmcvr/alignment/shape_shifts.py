"""Breath-hold shifts of slices from the shapes that they show.

The network `ShiftEstimator` says by how much each slice is displaced, and how sure it is of that. One shift
holds for all frames of a slice, so all that are labelled are asked. Where what is found may all be error,
slices are left where they are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..anatomy.heart_frame import REACH_MM, HeartFrame, heart_frame
from ..anatomy.signed_distances import nested_distances
from ..core.labels import BACKGROUND
from ..model.networks.shift_estimator import SIZE, weights
from ..model.sampling import sample_maps
from .shifts import SliceShifts

Estimate = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""A `ShiftEstimator`."""
FEWEST_SLICES = 4
"""Fewer slices say nothing of one another."""
NO_EVIDENCE, EVIDENCE = 0.4, 1.0
"""Shifts are what was found if their mean square is that of the expected error or more, and none below a
share of it; in between, part of what was found.
"""


def shape_shifts(
    estimate: Estimate, labels: np.ndarray, positions: np.ndarray, spacing: tuple[float, float]
) -> SliceShifts:
    """Shifts of the slices of one stack.

    labels: (F, S, H, W) of some frames. positions: (S,) mm, increasing. spacing: (x, y) mm.
    Slices that show no heart in any frame have no shift and a standard deviation of infinity.
    """
    count = len(positions)
    total, precision, weight = np.zeros((count, 2)), np.zeros(count), np.zeros(count)
    frames = np.zeros(count, int)
    for frame in labels:
        found = _frame_shifts(estimate, frame, np.asarray(positions, float), spacing)
        if found is not None:
            shift, sd, importance = found
            certain = np.where(importance > 0, 1 / sd**2, 0)
            total, precision = total + shift * certain[:, None], precision + certain
            weight, frames = weight + importance, frames + (importance > 0)
    if not frames.any():
        return SliceShifts.none(count)
    shown = precision > 0
    mm = np.where(shown[:, None], total / np.maximum(precision, 1e-9)[:, None], 0)
    # Frames of one slice err alike: the mean of those that show it is about as uncertain as each.
    sd = np.where(shown, np.sqrt(frames / np.maximum(precision, 1e-9)), np.inf)
    mm = trusted(mm, sd, weight)
    mm = np.where(shown[:, None], mm - np.average(mm, axis=0, weights=weight), 0)
    return SliceShifts(mm, sd, "shape")


def trusted(mm: np.ndarray, sd: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Shifts (S, 2), drawn toward none, all by one factor, where errors of ``sd`` (S,) may explain them: what
    is found in a stack without shifts is smaller than the error that the network expects. weight: (S,), how
    much each slice counts.
    """
    counts = weight > 0
    found = float((weight * np.square(mm).mean(1))[counts].sum())
    expected = float((weight[counts] * np.square(sd[counts])).sum())
    share = found / expected if expected > 0 else 0.0
    return mm * float(np.clip((share - NO_EVIDENCE) / (EVIDENCE - NO_EVIDENCE), 0, 1))


def _frame_shifts(
    estimate: Estimate, labels: np.ndarray, positions: np.ndarray, spacing: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Shifts (S, 2), standard deviations (S,) and how much each slice counts (S,) of labels (S, H, W); None
    where they show too little.
    """
    frame = heart_frame(labels, positions, spacing)
    shown = np.flatnonzero((labels != BACKGROUND).any((1, 2)))
    if frame is None or len(shown) < FEWEST_SLICES:
        return None
    used = slice(max(shown[0] - 1, 0), shown[-1] + 2)
    distances = nested_distances(labels[used], spacing, REACH_MM)
    shift, sd, importance = _stack_shifts(estimate, distances, positions[used], frame, spacing)
    if not frame.is_certain:
        other = _stack_shifts(estimate, distances, positions[used], frame.reversed(), spacing)
        # What knows hearts is surer of one that is the right way up.
        if np.average(other[1], weights=other[2]) < np.average(sd, weights=importance):
            frame, (shift, sd, importance) = frame.reversed(), other
    mm, spread, weight = np.zeros((len(labels), 2)), np.ones(len(labels)), np.zeros(len(labels))
    mm[used], spread[used], weight[used] = (
        frame.order(item) for item in (shift @ frame.axes, sd, importance)
    )
    empty = ~(labels != BACKGROUND).any((1, 2))
    mm[empty], weight[empty] = 0, 0
    return mm, spread, weight


@torch.inference_mode()
def _stack_shifts(
    estimate: Estimate,
    distances: np.ndarray,
    positions: np.ndarray,
    frame: HeartFrame,
    spacing: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shifts (S, 2) in the frame, standard deviations and the slices' weights, apex to base: the mean of what
    is found in the stack and in its mirror image. distances: (S, 3, H, W) mm, in the order of the stack.

    What is left is not estimated again: that undoes the network's own caution.
    """
    heights = frame.order(frame.heights(positions))
    maps = torch.from_numpy(np.ascontiguousarray(frame.order(distances)))
    count = len(heights)
    gaps, present = torch.zeros(1, count, 2), torch.ones(1, count)
    steps = torch.from_numpy(np.diff(heights).astype(np.float32))
    gaps[0, 1:, 0], gaps[0, :-1, 1] = steps, steps
    maps = sample_maps(maps, frame.lattice((SIZE, SIZE)), spacing)[None]
    views = estimate(maps, gaps, present), estimate(maps.flip(-2), gaps, present)
    shift = (views[0][0] + views[1][0] * torch.tensor([1.0, -1.0])) / 2
    sd = (views[0][1] + views[1][1]) / 2
    return shift[0].numpy(), sd[0].numpy(), weights(maps, present)[0].numpy()
