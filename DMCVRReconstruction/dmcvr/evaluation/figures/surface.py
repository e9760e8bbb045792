"""The heart's surfaces in 3D, seen straight onto a plane."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ...core.geometry import Grid, Plane
from ...core.labels import BACKGROUND, LVC, LVM, RVC
from .style import LABEL_COLOURS

STEP_MM, MARGIN_MM = 1.5, 5.0
"""Along the lines of sight, and how far before and behind the heart they reach."""
SMOOTH_MM = 1.5
LIGHT = np.array([-0.8, -0.45, -0.4])
"""Towards the light along depth, row and column: from the viewer, above and to the left."""
MUSCLE_ALPHA = 0.45
AMBIENT = 0.35


def surface_image(labels: np.ndarray, grid: Grid, plane: Plane) -> np.ndarray:
    """(H, W, 3) the surfaces of ``labels`` (Z, Y, X) seen along the plane's normal, white where none is.

    Cavities are opaque, the myocardium lets them shine through.
    """
    if not labels.any():
        return np.ones((*plane.shape, 3))
    heart = grid.position(np.argwhere(labels != BACKGROUND))
    heights = (heart - plane.origin) @ plane.normal
    depths = np.arange(heights.min() - MARGIN_MM, heights.max() + MARGIN_MM, STEP_MM)
    points = plane.points()[None] + depths[:, None, None, None] * plane.normal
    hits = {label: _first_hit(labels == label, grid, points, plane) for label in (LVC, RVC, LVM)}
    image, nearest = np.ones((*plane.shape, 3)), np.full(plane.shape, np.inf)
    for label in (LVC, RVC, LVM):
        depth, shade = hits[label]
        alpha = np.where(depth < nearest, MUSCLE_ALPHA if label == LVM else 1.0, 0.0)[..., None]
        image = alpha * shade[..., None] * _rgb(label) + (1 - alpha) * image
        nearest = np.minimum(nearest, depth)
    return np.clip(image, 0, 1)


def _rgb(label: int) -> np.ndarray:
    return np.array([int(LABEL_COLOURS[label][at : at + 2], 16) / 255 for at in (1, 3, 5)])


def _first_hit(
    mask: np.ndarray, grid: Grid, points: np.ndarray, plane: Plane
) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) the depth at which a line of sight meets ``mask`` first, inf where it does not, and how bright
    the surface is there.
    """
    smooth = ndimage.gaussian_filter(
        mask.astype(np.float32), [SMOOTH_MM / step for step in grid.spacing[::-1]]
    )
    seen = grid.sample(smooth, points)
    inside = seen > 0.5
    first = inside.argmax(0)
    met = inside.any(0)
    gradient = np.stack(np.gradient(seen, STEP_MM, *plane.spacing[::-1]))
    rows, columns = np.indices(plane.shape)
    outward = -gradient[:, first, rows, columns]
    outward /= np.maximum(np.linalg.norm(outward, axis=0), 1e-6)
    towards = LIGHT / np.linalg.norm(LIGHT)
    shade = AMBIENT + (1 - AMBIENT) * np.maximum(np.tensordot(towards, outward, 1), 0)
    return np.where(met, first.astype(float), np.inf), np.where(met, shade, 0)
