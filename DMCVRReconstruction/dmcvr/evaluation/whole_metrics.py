"""What makes labels a whole heart: closed, of one piece, of the right volume, and smooth over the beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ..anatomy.distance_interpolation import End, apical_end, heart_areas
from ..core.geometry import Grid
from ..core.labels import BACKGROUND, LVC, LVM

TOUCHING = np.ones((3, 3, 3), bool)
"""Voxels that share a corner belong to one piece."""


def apex_hole_mm2(labels: np.ndarray, grid: Grid) -> float:
    """Area in mm2 over which the LV cavity touches neither itself nor myocardium in its apical half.

    The faces of its voxels towards background, RV cavity or the end of the array are added up, so a slanting
    hole counts as the stairs it is made of. Which end is apical is told by the areas of the heart's slices;
    where they do not tell, the half with the smaller hole counts. 0 without a cavity.

    labels: (Z, Y, X) of ``grid``.
    """
    cavity = labels == LVC
    slices = np.flatnonzero(cavity.any((1, 2)))
    if not len(slices):
        return 0.0
    area = open_area_by_slice(labels, grid)
    middle = (slices[0] + slices[-1]) / 2
    z = np.arange(len(labels))
    halves = {End.FIRST: area[z < middle].sum(), End.LAST: area[z > middle].sum()}
    apex = apical_end(heart_areas(labels), z)
    return float(halves[apex] if apex is not None else min(halves.values()))


def open_area_by_slice(labels: np.ndarray, grid: Grid) -> np.ndarray:
    """(Z,) mm2 of faces between voxels of the LV cavity in each slice and what is neither cavity nor wall."""
    padded = np.pad(labels, 1, constant_values=BACKGROUND)
    cavity, outside = padded == LVC, (padded != LVC) & (padded != LVM)
    x, y, z = grid.spacing
    out = np.zeros(len(labels))
    for axis, face in ((0, x * y), (1, x * z), (2, y * z)):
        for side in (1, -1):
            touching = cavity & np.roll(outside, side, axis)
            out += np.count_nonzero(touching, axis=(1, 2))[1:-1] * face
    return out


def pieces(mask: np.ndarray) -> int:
    """Number of parts of ``mask`` (Z, Y, X) that do not touch each other, not even by a corner."""
    return int(ndimage.label(mask, TOUCHING)[1])


def volume_error_percent(measured: float, true: float) -> float:
    """Of a volume; nan where there is none."""
    return 100 * (measured - true) / true if true > 0 else float("nan")


def roughness_percent(curve: Sequence[float], stroke: float | None = None) -> float:
    """Root mean square of the second differences of a volume curve over the cycle, over the stroke volume, %.

    The cycle closes: the first frame follows the last. stroke: ml, or None for that of the curve itself. nan
    for fewer than 3 frames or no stroke.
    """
    volumes = np.asarray(curve, float)
    stroke = stroke_volume(curve) if stroke is None else stroke
    if len(volumes) < 3 or stroke <= 0:
        return float("nan")
    second = np.roll(volumes, 1) - 2 * volumes + np.roll(volumes, -1)
    return float(100 * np.sqrt((second**2).mean()) / stroke)


def stroke_volume(curve: Sequence[float]) -> float:
    """Largest minus smallest volume of a cycle, ml."""
    return float(np.max(curve) - np.min(curve))


def largest_deviation_percent(curve: Sequence[float]) -> float:
    """How far a volume that should not change departs from its mean over the cycle at most, in %."""
    mean = float(np.mean(curve))
    return float(100 * np.abs(np.asarray(curve) - mean).max() / mean) if mean > 0 else float("nan")


def root_mean_square_mm(shifts: np.ndarray) -> float:
    """Of displacements (S, D) in mm about their mean, which nothing can tell; 0 of none."""
    if not len(shifts):
        return 0.0
    return float(np.sqrt(((shifts - shifts.mean(0)) ** 2).sum(1).mean()))
