"""The heart's surfaces in 3D, lit and seen straight onto a plane; by NumPy and SciPy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..core.geometry import Grid, Plane
from ..core.labels import BACKGROUND, COLOURS, LVC, LVM, RVC

STEP_MM, MARGIN_MM = 1.5, 5.0
"""Along the lines of sight, and how far before and behind the heart they reach."""
SMOOTH_MM = 1.5
LIGHT = np.array([-0.8, -0.45, -0.4])
"""Towards the light along depth, row and column: from the viewer, above and to the left."""
MUSCLE_ALPHA = 0.2, 0.75
"""Of the myocardium where it is seen straight on, and where from the side, as of glass."""
AMBIENT = 0.35
EDGE = 0.4, 0.6
"""The share of a smoothed mask at which a surface begins to cover a pixel, and at which it does in full."""
Colours = Mapping[int, tuple[int, int, int]]


def surface_image(
    labels: np.ndarray, grid: Grid, plane: Plane, colours: Colours = COLOURS, ground: float = 1.0
) -> np.ndarray:
    """(H, W, 3), in [0, 1], the surfaces of ``labels`` (Z, Y, X) seen along the plane's normal, the grey
    ``ground`` where none is.

    Cavities are opaque, the myocardium lets them shine through. colours: by label, of 255.
    """
    image = np.full((*plane.shape, 3), ground)
    found = np.argwhere(labels != BACKGROUND)
    if not len(found):
        return image
    low, high = found.min(0), found.max(0) + 1
    # A margin for smoothing, so that no surface ends flat where the box does.
    margin = np.ceil(3 * SMOOTH_MM / np.array(grid.spacing[::-1])).astype(int)
    part = np.pad(labels[tuple(map(slice, low, high))], margin[:, None])
    own = Grid(grid.position(low - margin), grid.step_x, grid.step_y, grid.step_z, part.shape)
    heights = (grid.position(found) - plane.origin) @ plane.normal
    depths = np.arange(heights.min() - MARGIN_MM, heights.max() + MARGIN_MM, STEP_MM)
    points = plane.points()[None] + depths[:, None, None, None] * plane.normal
    nearest = np.full(plane.shape, np.inf)
    for label in (LVC, RVC, LVM):
        hit = _first_hit(part == label, own, points, plane)
        straight, aside = MUSCLE_ALPHA if label == LVM else (1.0, 1.0)
        alpha = hit.cover * (aside + (straight - aside) * hit.facing)
        alpha = np.where(hit.depth < nearest, alpha, 0.0)[..., None]
        image = alpha * hit.shade[..., None] * np.array(colours[label]) / 255 + (1 - alpha) * image
        nearest = np.minimum(nearest, np.where(hit.cover >= 0.5, hit.depth, np.inf))
    clipped: np.ndarray = np.clip(image, 0, 1)
    return clipped


@dataclass(frozen=True)
class _Hit:
    """Where lines of sight meet a surface, all (H, W). depth: of the first hit, inf where there is none.
    cover: the share of the pixel that the surface covers. shade: how bright it is. facing: how much it faces
    the viewer, from 0 to 1.
    """

    depth: np.ndarray
    cover: np.ndarray
    shade: np.ndarray
    facing: np.ndarray


def _first_hit(mask: np.ndarray, grid: Grid, points: np.ndarray, plane: Plane) -> _Hit:
    smooth = ndimage.gaussian_filter(
        mask.astype(np.float32), [SMOOTH_MM / step for step in grid.spacing[::-1]]
    )
    seen = grid.sample(smooth, points)
    most = seen.max(0)
    cover = np.clip((most - EDGE[0]) / (EDGE[1] - EDGE[0]), 0, 1)
    first = (seen >= np.minimum(most, 0.5)).argmax(0)
    gradient = np.stack(np.gradient(seen, STEP_MM, *plane.spacing[::-1]))
    rows, columns = np.indices(plane.shape)
    outward = -gradient[:, first, rows, columns]
    outward /= np.maximum(np.linalg.norm(outward, axis=0), 1e-6)
    towards = LIGHT / np.linalg.norm(LIGHT)
    shade = AMBIENT + (1 - AMBIENT) * np.maximum(np.tensordot(towards, outward, 1), 0)
    return _Hit(np.where(cover > 0, first.astype(float), np.inf), cover, shade, np.abs(outward[0]))
