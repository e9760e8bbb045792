"""Images and outlines where a plane cuts a stack or a reconstruction."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import measure

from ..core.geometry import Grid, Plane
from ..core.labels import LVC, LVM, RVC
from ..core.stack import Stack

NESTED = {
    RVC: (RVC,),
    LVM: (LVC, LVM),
    LVC: (LVC,),
}  # the outline drawn for each; the epicardium holds the cavity


def cut_stack(stack: Stack, frame: int, plane: Plane, order: int = 1, fill: float = 0.0) -> np.ndarray:
    """(H, W) values of ``stack`` on ``plane``, each point from the acquired slice nearest along the normal.

    Within its slice a value is interpolated with a spline of ``order`` (0 for labels). ``fill`` stands
    outside the slices and further than half a gap beyond the end ones.
    """
    points = plane.points()
    heights = (points - stack.origins[0]) @ stack.normal
    positions, gaps = stack.positions, stack.gaps
    edges = np.concatenate(
        [[positions[0] - gaps[0] / 2], positions[:-1] + gaps / 2, [positions[-1] + gaps[-1] / 2]]
    )
    owner = np.digitize(heights, edges) - 1
    out = np.full(plane.shape, fill, float)
    for index in range(len(positions)):
        mine = owner == index
        pixels = stack.plane(index).indices(points[mine])
        out[mine] = ndimage.map_coordinates(
            stack.frames[frame, index], pixels.T, output=float, order=order, mode="constant", cval=fill
        )
    return out


def outlines(labels: np.ndarray) -> dict[int, list[np.ndarray]]:
    """Outlines of each structure in a slice of ``labels`` (H, W): label -> arrays of (N, 2) [row, column]."""
    return {label: _contours(np.isin(labels, inside).astype(float)) for label, inside in NESTED.items()}


def outlines_on_plane(labels: np.ndarray, grid: Grid, plane: Plane) -> dict[int, list[np.ndarray]]:
    """Outlines of each structure of ``labels`` (Z, Y, X) where ``plane`` cuts it, in the plane's pixels.

    The masks are interpolated, so an oblique cut is a curve and not a staircase.
    """
    points = plane.points()
    masks = {label: np.isin(labels, inside).astype(np.float32) for label, inside in NESTED.items()}
    return {label: _contours(grid.sample(mask, points)) for label, mask in masks.items()}


def _contours(mask: np.ndarray) -> list[np.ndarray]:
    # Without the border a structure that leaves the image would keep an open outline.
    return [contour - 1 for contour in measure.find_contours(np.pad(mask, 1), 0.5)]
