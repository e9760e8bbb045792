"""The shape of the heart between two slices, from their nested signed distances.

Maps of neighbouring slices interpolate linearly (eq. 5 of the DMCVR paper with this code as the morphology
code; Raya and Udupa 1990 for distances as a shape code).

Where a structure is in one slice and not in the next, it ends half-way between them, for that is all the
slices say. Toward the apex it tapers to a point there; toward the base, where the valve plane cuts across, it
keeps its shape. Nothing is extrapolated beyond the first and the last slice.

What changes at half-way does so over a hair's breadth (`HALF_WAY`), area by area: a slice that lies there
counts half for either side, and rounding of positions does not decide.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from ..core.labels import BACKGROUND
from ..core.positions import bracket
from .robust_line import robust_line
from .signed_distances import BORDER_MM, CAVITY, WHOLE, structures_shown

HALF_WAY = 0.01
"""Share of a gap, to either side of its middle, over which what changes there is handed over: 0.1 mm in gaps
of 10 mm.
"""


class End(Enum):
    """An end of a stack, by its slices' positions along the normal."""

    FIRST = "first"
    LAST = "last"


def apical_end(areas: np.ndarray, positions: np.ndarray) -> End | None:
    """The end of the stack toward which the heart narrows, or None if its area does not tell.

    A robust line (Theil-Sen) is laid through the areas of the slices that show the heart; it tells if, over
    the heart's length, it changes by more than a tenth of the median area.

    areas: (S,) of LV and RV together in each slice, in any unit, as from `heart_areas`: a dilated LV alone
        may hardly narrow up to the last slice, but the RV does. positions: (S,) mm, increasing.
    """
    areas, positions = np.asarray(areas, float), np.asarray(positions, float)
    shown = areas > 0
    if shown.sum() < 2:
        return None
    areas, positions = areas[shown], positions[shown]
    change = robust_line(areas, positions)[0] * np.ptp(positions)
    if abs(change) <= 0.1 * np.median(areas):
        return None
    return End.LAST if change < 0 else End.FIRST


def heart_areas(labels: np.ndarray) -> np.ndarray:
    """(S,) pixels of LVC, LVM and RVC together in each slice of labels (S, H, W)."""
    return (labels != BACKGROUND).sum((-2, -1))


def between(first: np.ndarray, second: np.ndarray, t: float, apex: End | None) -> np.ndarray:
    """Distance maps (3, H, W) in mm at the fraction ``t`` in [0, 1] of the way from one slice to the next.

    A structure in both slices takes the straight line (eq. 5). One in a single slice is gone from t = 1/2 on,
    where half of its area counts (`HALF_WAY`):
    toward the apex it tapers until there, toward the base it keeps its shape. Where the LV cavity ends toward
    the base, so does the wall about it: muscle that the slice beyond still shows is a rim by the valve, of
    which the straight line would make a lid over the cavity, so each slice's wall reaches half-way.

    first, second: (3, H, W) mm, of neighbouring slices in one in-plane frame, in the order of the stack, made
        with a limit that no inside distance reaches (`WHOLE_MM`).
    apex: which end of the stack is apical; None tapers both ways.
    """
    out = (1 - t) * first + t * second
    in_first, in_second = structures_shown(first), structures_shown(second)
    ends = (
        (in_first & ~in_second, first, second, t, apex is not End.FIRST),
        (in_second & ~in_first, second, first, 1 - t, apex is not End.LAST),
    )
    for ending, last, beyond, far, tapers in ends:
        for channel in np.flatnonzero(ending):
            out[channel] = _ending(last[channel], beyond[channel], far, tapers=tapers)
        if ending[CAVITY] and not tapers:
            share = nearer_share(far)
            out[WHOLE] = hand_over(last[WHOLE], beyond[WHOLE], share)
            out[CAVITY] = hand_over(last[CAVITY], beyond[CAVITY], share, taken=out[WHOLE] <= 0)
    return out


def nearer_share(t: float) -> float:
    """How much of the slice at t = 0 counts at ``t``: 1 before half-way, 0 after, falling between."""
    return float(np.clip((0.5 + HALF_WAY - t) / (2 * HALF_WAY), 0, 1))


def hand_over(
    first: np.ndarray, second: np.ndarray, share: float, taken: np.ndarray | None = None
) -> np.ndarray:
    """A map (H, W) whose area is ``share`` of the area of ``first`` and the rest of that of ``second``.

    At 1 and 0 it is either itself. Its shape is that of the mean map, raised or lowered to the area.
    taken: (H, W) bool, pixels of another structure, which it may not have.
    """
    if share in (0, 1):
        return first if share else second
    mixed = share * first + (1 - share) * second
    area = round(share * np.count_nonzero(first > 0) + (1 - share) * np.count_nonzero(second > 0))
    if taken is not None:
        mixed[taken] = mixed.min()
    order = np.argsort(-mixed, axis=None, kind="stable")  # of pixels at one level the first come in
    inside = np.zeros(mixed.size, bool)
    inside[order[:area]] = True
    level = mixed.flat[order[min(area, mixed.size - 1)]]
    lifted = np.abs(mixed - level) + 2 * BORDER_MM  # none is left to the border's rule
    return np.where(inside.reshape(mixed.shape), lifted, -lifted)


def _ending(last: np.ndarray, absent: np.ndarray, t: float, *, tapers: bool) -> np.ndarray:
    """One structure's map (H, W) from its ``last`` slice (t = 0) to the one where it is ``absent`` (t = 1).

    Tapering, all distances sink until at t = 1/2 the innermost is 0, and then on to those of ``absent``.
    Otherwise the shape stays and is gone from t = 1/2 on.
    """
    if not tapers:
        return hand_over(last, absent, nearer_share(t))
    point = last - last.max()
    if t < 0.5:
        return (1 - 2 * t) * last + 2 * t * point
    return (2 - 2 * t) * point + (2 * t - 1) * absent


def interpolate_distances(
    distances: np.ndarray, positions: np.ndarray, wanted: np.ndarray, apex: End | None
) -> np.ndarray:
    """Distance maps (Z, 3, H, W) in mm at the ``wanted`` positions (Z,), from all slices' (S, 3, H, W).

    At a slice's own position its maps come back unchanged. See `between` for the rule and ``apex``.

    positions: (S,) mm, increasing. Raises ValueError for positions beyond the first or last slice.
    """
    below, above, fractions = bracket(positions, wanted)
    return np.stack(
        [
            between(distances[a], distances[b], t, apex)
            for a, b, t in zip(below, above, fractions, strict=True)
        ]
    )
