"""The left ventricle's 17 segments, and its wall's thickness in each.

After Cerqueira et al., Circulation 105:539, 2002. Base, mid-cavity and apex are equal thirds of the long axis
between the level below which the wall goes all the way round and the end of the cavity; what lies beyond that
end is the apical cap. The septum reaches from one insertion of the RV to the other, found in the basal and
in the middle third each, and is divided into two equal parts, the free wall into four. The apical third has
four parts of 90 degrees, the septal one about the middle of the septum of the third above.
"""

from __future__ import annotations

import numpy as np
from scipy import spatial

from ..core.geometry import Grid
from ..core.labels import LVC, RVC
from .long_axis import LongAxis, long_axis
from .walls import AxisCoordinates, MidWall, mid_wall

SEGMENTS = (
    "basal anterior",
    "basal anteroseptal",
    "basal inferoseptal",
    "basal inferior",
    "basal inferolateral",
    "basal anterolateral",
    "mid anterior",
    "mid anteroseptal",
    "mid inferoseptal",
    "mid inferior",
    "mid inferolateral",
    "mid anterolateral",
    "apical anterior",
    "apical septal",
    "apical inferior",
    "apical lateral",
    "apex",
)
"""By number, from 1."""
CLOSED_SHARE = 0.05
"""Of the circumference: the wall may end lower in so much of it and count as going all the way round."""
TOUCHING_MM = 3.0
"""The RV touches what lies so near, as much as the RV's own wall is thick."""
SLAB_MM = 2.0
"""Height in which an insertion is looked for; their median counts."""
FEWEST_POINTS = 5
"""Of the mid-wall; a segment of fewer has no thickness."""
Insertions = tuple[float, float]
"""Degrees of the anterior and the inferior insertion."""


def wall_thickness(labels: np.ndarray, grid: Grid) -> tuple[float | None, ...] | None:
    """Mean thickness in mm of the wall in each of the 17 SEGMENTS, from ``labels`` (Z, Y, X) on ``grid``.

    A segment that the labels do not show is None. None in place of all where there is no cavity, no wall or
    no RV that touches it. InputError where a ventricle is missing.
    """
    axis = long_axis(labels, grid)
    wall = mid_wall(labels, grid, axis)
    if wall is None:
        return None
    numbers = segment_numbers(labels, grid, axis, wall)
    if numbers is None:
        return None
    chosen = (wall.thickness[numbers == number] for number in range(1, len(SEGMENTS) + 1))
    return tuple(float(values.mean()) if len(values) >= FEWEST_POINTS else None for values in chosen)


def thickening(ed: float | None, es: float | None) -> float | None:
    """Of a wall, in % of its thickness at end-diastole; None where it is not known at both."""
    return None if ed is None or es is None else 100 * (es - ed) / ed


def segment_numbers(labels: np.ndarray, grid: Grid, axis: LongAxis, wall: MidWall) -> np.ndarray | None:
    """(N,) number of the segment in which each point of the mid-wall lies, 0 above the base."""
    base = float(np.quantile(wall.rim, CLOSED_SHARE, method="lower"))
    cavity = AxisCoordinates.of(grid.position(np.argwhere(labels == LVC)), axis)
    end = cavity.heights.min() - grid.spacing[2] / 2  # where the last voxel ends
    if not np.isfinite(base) or base <= end:
        return None
    levels = base - np.arange(4) / 3 * (base - end)
    touching = _touched_by_rv(labels, grid, axis, wall.epicardium)
    found = [_insertions(touching, levels[third + 1], levels[third]) for third in (0, 1)]
    basal, middle = found[0] or found[1], found[1] or found[0]
    if basal is None or middle is None:
        return None
    heights, angles = wall.coordinates.heights, wall.coordinates.angles
    out = np.zeros(len(heights), int)
    septum = (middle[0] + middle[1]) / 2
    for first, numbers, (low, high) in (
        (1, _six(angles, basal), levels[[1, 0]]),
        (7, _six(angles, middle), levels[[2, 1]]),
        (13, _four(angles, septum), levels[[3, 2]]),
    ):
        here = (heights > low) & (heights <= high)
        out[here] = first + numbers[here]
    out[heights <= levels[3]] = len(SEGMENTS)
    return out


def _touched_by_rv(labels: np.ndarray, grid: Grid, axis: LongAxis, epicardium: np.ndarray) -> AxisCoordinates:
    """Where the RV lies against the left ventricle."""
    right = spatial.cKDTree(grid.position(np.argwhere(labels == RVC)))
    reach = TOUCHING_MM + max(grid.spacing) / 2
    near = np.isfinite(right.query(epicardium, distance_upper_bound=reach)[0])
    return AxisCoordinates.of(epicardium[near], axis)


def _insertions(touching: AxisCoordinates, low: float, high: float) -> Insertions | None:
    """Where between two heights the RV's contact with the left ventricle begins and ends."""
    slabs = ((touching.heights - low) // SLAB_MM).astype(int)
    here = (touching.heights > low) & (touching.heights <= high)
    if not here.any():
        return None
    ends = [
        (own.min(), own.max()) for own in (touching.angles[here & (slabs == i)] for i in set(slabs[here]))
    ]
    anterior, inferior = np.median(ends, axis=0)
    return (float(anterior), float(inferior)) if inferior > anterior else None


def _six(angles: np.ndarray, insertions: Insertions) -> np.ndarray:
    """(N,) 0 to 5: anterior, anteroseptal, inferoseptal, inferior, inferolateral, anterolateral."""
    anterior, inferior = insertions
    septum = inferior - anterior
    beyond = (angles - anterior) % 360
    septal = 1 + np.floor(2 * beyond / septum)
    free = 3 + np.floor(4 * (beyond - septum) / (360 - septum))
    return np.where(beyond < septum, np.minimum(septal, 2), np.minimum(free, 6) % 6).astype(int)


def _four(angles: np.ndarray, septum: float) -> np.ndarray:
    """(N,) 0 to 3: anterior, septal, inferior, lateral."""
    return (((angles - septum + 135) % 360) // 90).astype(int)
