"""The beating heart: long-axis cut, real long-axis image and a middle slice, as one picture that moves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from ...anatomy.cuts import outlines, outlines_on_plane
from ...anatomy.long_axis import LongAxis
from ...anatomy.long_axis_views import CUT_MM, MARGIN_MM, View, box, long_axis_views
from ...core.geometry import sample_plane
from ...core.intensity import grey_limits
from ...core.labels import BACKGROUND, LVC
from ..pictures import picture, side_by_side, webp, zoomed
from .data import ReportData

ZOOM = 1.7
GAP = 6
FEWEST_FRAMES = 8
"""Fewer are no cine."""
USUAL_BEAT_MS = 1000.0
"""Where the frames' times are not known."""


def beating_heart(data: ReportData, axis: LongAxis) -> tuple[bytes, bytes] | None:
    """An animated WebP file, and its first frame alone for who does not want motion; None for fewer frames
    than a cine has.
    """
    if len(data.volume) < FEWEST_FRAMES:
        return None
    images = list(_frames(data, axis))
    return webp(images, _frame_ms(data)), webp(images[:1], 0)


def _frame_ms(data: ReportData) -> int:
    times, count = data.stack.times, len(data.volume)
    beat = USUAL_BEAT_MS if times is None else float(times[-1] - times[0]) * count / (count - 1)
    return max(round(beat / count), 20)


def _frames(data: ReportData, axis: LongAxis) -> Iterator[Image.Image]:
    heart = (data.labels != BACKGROUND).any(0)
    view = _best_view(long_axis_views(axis, data.lax, heart, data.grid))
    areas = (data.labels[data.shown] == LVC).sum((1, 2))
    middle = int(np.flatnonzero(areas)[len(np.flatnonzero(areas)) // 2])
    low, high = box(heart.any(0), MARGIN_MM / 2 / min(data.grid.spacing[:2]))
    window = slice(low[0], high[0]), slice(low[1], high[1])
    points, limits = view.plane.points(), grey_limits(data.volume[data.shown])
    zoom, slice_zoom = zoomed(view.plane.spacing, ZOOM / CUT_MM), zoomed(data.grid.spacing, ZOOM)
    for frame, (volume, labels) in enumerate(zip(data.volume, data.labels, strict=True)):
        contours = outlines_on_plane(labels, data.grid, view.plane)
        tiles = [picture(data.grid.sample(volume, points), limits, zoom, contours)]
        if view.lax is not None:
            image = sample_plane(data.lax_frame(view.lax, frame), view.lax.plane(0), view.plane)
            tiles.append(picture(image, grey_limits(image), zoom, contours))
        drawn = outlines(labels[middle][window])
        tiles.append(picture(volume[middle][window], limits, slice_zoom, drawn))
        yield side_by_side(tiles, GAP)


def _best_view(views: list[View]) -> View:
    """Rather one with a real image than without, then the four-chamber view, then another named one."""
    return max(views, key=lambda view: (view.lax is not None, view.name == "4ch", view.name is not None))
