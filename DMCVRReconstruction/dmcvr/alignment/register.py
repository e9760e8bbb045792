"""Slices put in register: each resampled in its plane by its breath-hold shift."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..anatomy.signed_distances import labels_from_distances, nested_distances
from ..core.geometry import Plane, sample_plane
from ..core.stack import Stack
from .shifts import SliceShifts

SMALLEST_MM = 0.1
"""A slice displaced by less keeps its voxels as acquired."""
REACH_MM = 12.0


def images_in_register(stack: Stack, shifts: SliceShifts) -> Stack:
    """The stack on its own planes, each slice showing what lies there when the heart is at rest.

    Cubic interpolation, so that slices keep their sharpness; what comes from beyond the image is 0, and no
    intensity falls below the slice's lowest. Slices displaced by less than SMALLEST_MM are left as they are.
    """
    frames = stack.frames.copy()
    for index, source in _displaced(stack, shifts):
        acquired = stack.frames[:, index]
        moved = sample_plane(acquired, source, stack.plane(index), order=3)
        frames[:, index] = np.maximum(moved, acquired.min((1, 2), keepdims=True))
    return replace(stack, frames=frames)


def labels_in_register(labels: np.ndarray, stack: Stack, shifts: SliceShifts) -> np.ndarray:
    """Labels (..., S, H, W) uint8 of the stack's slices, moved likewise, to a fraction of a pixel: by their
    nested signed distances.
    """
    out = labels.copy()
    for index, source in _displaced(stack, shifts):
        maps = nested_distances(labels[..., index, :, :], stack.spacing, REACH_MM)
        moved = sample_plane(maps, source, stack.plane(index), fill=-REACH_MM)
        out[..., index, :, :] = labels_from_distances(moved)
    return out


def _displaced(stack: Stack, shifts: SliceShifts) -> Iterator[tuple[int, Plane]]:
    """Every slice that is to be moved, and the plane on which its pixels lie when the heart is at rest."""
    vectors = shifts.vectors(stack)
    for index in np.flatnonzero(shifts.lengths >= SMALLEST_MM):
        plane = stack.plane(int(index))
        yield int(index), replace(plane, origin=plane.origin - vectors[index])
