"""Breath-hold shifts of the slices from long-axis (LAX) images that cross them.

The shifts of all slices and the displacements of all LAX images are those under which the images agree best
on the lines where they cross (`crossings`) and which are not improbable in themselves (`shift_posterior`).
They hold for all frames of a cine, since a slice's whole cine is one breath-hold. A single LAX image says
little of shifts across it and leaves its own displacement open, so at least two are needed that stand at an
angle to each other.

Half of what is seen on the lines is kept apart, each half in turn: unless shifts found from one half make the
other agree better, the slices are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ..core.geometry import unit
from ..core.stack import Stack
from .crossings import Crossing, crossing_views, find_crossings
from .shift_posterior import Line, Posterior, likelihood
from .shifts import SliceShifts

MOST_FRAMES = 6
"""More frames of a cine add little: what is uncertain is the anatomy, not the noise."""
LEAST_ANGLE_DEGREES = 25.0
LEAST_SLICES = 3
LEAST_GAIN = 10.0
"""What the halves kept apart must gain, in log likelihood. Images of a phantom gain some 150, images without
any structure up to 6 by chance.
"""

NO_VIEW = "No long-axis image crosses the slices, so none can tell their breath-hold shifts."
ONE_VIEW = (
    "One long-axis image is not enough to find the breath-hold shifts of slices; it takes two or more, at an "
    "angle to each other."
)
FEW_LINES = "The long-axis images cross too few slices within the heart to tell their breath-hold shifts."
NO_GAIN = (
    "Breath-hold shifts found from one half of the long-axis images do not make the other half agree better; "
    "the slices were left where they are."
)


def lax_shifts(stack: Stack, lax: Sequence[Stack], heart: np.ndarray) -> tuple[SliceShifts, str]:
    """The shifts of the slices of ``stack``, and a sentence that says why there are none, or an empty one.

    lax: stacks of one slice each, still or cine. heart: (S, H, W) bool, the ventricles in the slices in any
    frame.
    """
    none = SliceShifts.none(len(stack.origins))
    crossing = [lax[view] for view in crossing_views(stack, lax)]
    if not _stand_at_an_angle(crossing):
        return none, ONE_VIEW if crossing else NO_VIEW
    crossings = find_crossings(stack, crossing, heart, _some_frames(len(stack.frames)))
    if _well_crossed(crossings) < LEAST_SLICES:
        return none, FEW_LINES
    if sum(_gain(crossings, stack, half) for half in (0, 1)) <= LEAST_GAIN:
        return none, NO_GAIN
    found, sd = _posterior(crossings, stack, (0, 1)).best()
    return SliceShifts(found.slices, sd, "lax"), ""


def _some_frames(count: int) -> list[int]:
    """Up to MOST_FRAMES of ``count``, spread over the cycle."""
    used = min(count, MOST_FRAMES)
    return [int(i * count / used) for i in range(used)]


def _stand_at_an_angle(views: Sequence[Stack]) -> bool:
    """Whether any two of the images do."""
    cosine = np.cos(np.deg2rad(LEAST_ANGLE_DEGREES))
    return any(abs(a.normal @ b.normal) <= cosine for a, b in combinations(views, 2))


def _well_crossed(crossings: Sequence[Crossing]) -> int:
    """How many slices two images or more cross."""
    return int((np.bincount([item.index for item in crossings]) > 1).sum()) if crossings else 0


def _posterior(
    crossings: Sequence[Crossing], stack: Stack, halves: Sequence[int], moving: bool = True
) -> Posterior:
    lines = tuple(Line.of(item, halves) for item in crossings)
    views = 1 + max(item.view for item in crossings)
    axes = np.stack([unit(stack.step_x), unit(stack.step_y)])
    return Posterior(lines, len(stack.origins), views, axes, moving)


def _gain(crossings: Sequence[Crossing], stack: Stack, half: int) -> float:
    """By how much shifts found from ``half`` of the evidence make the other half more likely than no shifts;
    the LAX images are displaced in both cases.
    """
    other = _posterior(crossings, stack, (1 - half,)).lines
    moved, _ = _posterior(crossings, stack, (half,)).best()
    left, _ = _posterior(crossings, stack, (half,), moving=False).best()
    return likelihood(other, moved) - likelihood(other, left)
