"""Parallel slices that were stored one by one: which belong to one stack, and where they lie in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .geometry import Plane, unit

SAME_ANGLE = np.cos(np.radians(3.0))
SAME_PLACE_MM = 0.5
"""Slices closer than this were acquired at the same place."""
STEEP = np.sqrt(0.5)  # cosine between the normals: at 45 degrees


def can_be_stacked(a: Plane, b: Plane) -> bool:
    """Whether two slices have the same number of pixels, and the same orientation and pixel spacing, to
    within 3 degrees and a thousandth.
    """
    steps = ((a.step_x, b.step_x), (a.step_y, b.step_y))
    return (
        a.shape == b.shape
        and np.allclose(a.spacing, b.spacing, rtol=1e-3)
        and all(bool(unit(s) @ unit(t) > SAME_ANGLE) for s, t in steps)
    )


def stack_geometry(planes: Sequence[Plane]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Origins (S, 3), LPS mm, and common steps step_x, step_y (3,), mm, of slices that can be stacked.

    Orientations that differ by a hair are made equal by turning each slice about its centre, so that none is
    displaced.
    """
    height, width = planes[0].shape
    step_x = np.mean([plane.step_x for plane in planes], axis=0)
    step_y = np.mean([plane.step_y for plane in planes], axis=0)
    half = step_x * (width - 1) / 2 + step_y * (height - 1) / 2
    return np.array([plane.centre for plane in planes]) - half, step_x, step_y


def first_at_each_place(positions: Sequence[float]) -> list[int]:
    """Indices of the ``positions`` (mm along the normal) at whose place none before them lies.

    With the newest slice first, these are the slices that count where a place was acquired again.
    """
    kept: list[int] = []
    for index, position in enumerate(positions):
        if all(abs(position - positions[other]) >= SAME_PLACE_MM for other in kept):
            kept.append(index)
    return kept


def is_steep(a: Plane, b: Plane) -> bool:
    """Whether two planes cross at more than 45 degrees, as long-axis images cross short-axis slices."""
    return bool(abs(a.normal @ b.normal) < STEEP)
