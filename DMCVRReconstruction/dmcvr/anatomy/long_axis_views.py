"""The planes on which a reconstruction is looked at lengthwise, and the real long-axis (LAX) images there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.geometry import Grid, Plane
from ..core.stack import Stack
from .long_axis import LEFT_SIDE_DEGREES, LongAxis

CUT_MM = 1.0
MARGIN_MM = 25.0


@dataclass(frozen=True)
class View:
    """A plane to cut along, and the real image that lies in it, if there is one.

    name: "2ch", "3ch", "4ch", or None for a real image that is neither of these.
    """

    name: str | None
    plane: Plane
    lax: Stack | None


def long_axis_views(
    axis: LongAxis, lax: Sequence[Stack], heart: np.ndarray, grid: Grid, margin_mm: float = MARGIN_MM
) -> list[View]:
    """2ch, 3ch and 4ch about ``axis``, apex up, cropped to ``margin_mm`` about ``heart`` (Z, Y, X) bool on
    ``grid``; then every further real image of ``lax``.

    Where real images of a view are given, it lies in their planes, once for each.
    """
    given = [(axis.view(item.plane(0)), item) for item in lax]
    views: list[tuple[str, Plane, Stack | None]] = []
    for name in LEFT_SIDE_DEGREES:
        real: list[Stack | None] = [item for found, item in given if found == name]
        for item in real or [None]:
            within = None if item is None else item.plane(0)
            views.append((name, axis.apical(name, within, size_mm=300, spacing=CUT_MM), item))
    # One box for all keeps the same scale and the same place of the heart from row to row.
    boxes = [_heart_box(grid, heart, plane, margin_mm) for _, plane, _ in views]
    low, high = np.min(boxes, axis=0)[0], np.max(boxes, axis=0)[1]
    placed = [View(name, _crop(plane, low, high), item) for name, plane, item in views]
    for plane, item in [(item.plane(0), item) for found, item in given if found is None]:
        placed.append(View(None, _crop(plane, *_heart_box(grid, heart, plane, margin_mm)), item))
    return placed


def box(mask: np.ndarray, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """First and one past the last [row, column] of ``mask`` (H, W), ``margin`` pixels wider; all if empty."""
    shape = np.array(mask.shape)
    if not mask.any():
        return np.zeros(2, int), shape
    where = np.argwhere(mask)
    pad = round(margin)
    return np.maximum(where.min(0) - pad, 0), np.minimum(where.max(0) + 1 + pad, shape)


def _heart_box(
    grid: Grid, heart: np.ndarray, plane: Plane, margin_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """The part of ``plane`` that shows ``heart`` (Z, Y, X), with a margin."""
    return box(grid.sample(heart, plane.points(), order=0), margin_mm / min(plane.spacing))


def _crop(plane: Plane, low: np.ndarray, high: np.ndarray) -> Plane:
    origin = plane.origin + low[0] * plane.step_y + low[1] * plane.step_x
    return Plane(origin, plane.step_x, plane.step_y, (int(high[0] - low[0]), int(high[1] - low[1])))
