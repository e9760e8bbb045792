"""Slices of different matrix, pixel size or rotation brought onto the pixels of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...core.geometry import Plane, unit
from ...core.parallel_slices import stack_geometry

SAME_PIXEL = 0.25
"""Share of a pixel by which the corners of images on the same grid may differ."""


def alike(a: Plane, b: Plane) -> bool:
    """Whether two planes have the same matrix and, seen along their normal, pixels of the same size in the
    same directions. They may lean against each other by a hair.
    """
    if a.shape != b.shape:
        return False
    half = (np.array(a.shape) - 1) / 2
    corner_a, corner_b = (half[1] * plane.step_x + half[0] * plane.step_y for plane in (a, b))
    other_a, other_b = (half[1] * plane.step_x - half[0] * plane.step_y for plane in (a, b))
    normal = unit(a.normal + np.sign(a.normal @ b.normal) * b.normal)
    apart = [corner_a - corner_b, other_a - other_b]
    apart = [vector - (vector @ normal) * normal for vector in apart]
    return max(float(np.linalg.norm(vector)) for vector in apart) < SAME_PIXEL * min(a.spacing)


def common_grid(planes: Sequence[Plane]) -> list[bool]:
    """Which of ``planes`` share the grid that most have; of equally many, the finest."""
    groups: list[list[int]] = []
    for index, plane in enumerate(planes):
        group = next((group for group in groups if alike(planes[group[0]], plane)), None)
        if group is None:
            groups.append([index])
        else:
            group.append(index)
    most = max(groups, key=lambda group: (len(group), -planes[group[0]].spacing[0], -group[0]))
    return [index in most for index in range(len(planes))]


def stack_planes(planes: Sequence[Plane], shared: Sequence[bool]) -> list[Plane]:
    """One plane a slice, all with the same steps and shape, sorted as ``planes``.

    Those that share the grid are turned about their centres by the hair that they differ, so that none is
    displaced. The others get the grid at their own depth, in line with their nearest neighbours.
    """
    own = [plane for plane, share in zip(planes, shared, strict=True) if share]
    _, step_x, step_y = stack_geometry(own)
    height, width = shape = own[0].shape
    half = step_x * (width - 1) / 2 + step_y * (height - 1) / 2
    normal = unit(np.cross(step_x, step_y))
    centres = np.array([plane.centre for plane in own])
    depths = centres @ normal
    order = np.argsort(depths)
    beside = centres - depths[:, None] * normal
    found = []
    for plane, share in zip(planes, shared, strict=True):
        centre = plane.centre
        if not share:
            depth = centre @ normal
            aligned = [np.interp(depth, depths[order], beside[order, axis]) for axis in range(3)]
            centre = np.array(aligned) + depth * normal
        found.append(Plane(centre - half, step_x, step_y, shape))
    return found
