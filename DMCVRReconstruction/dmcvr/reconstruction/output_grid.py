"""Where the slices of the reconstruction lie: its grid, and the common in-plane frame of a stack."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor

import numpy as np

from ..core.errors import InputError
from ..core.geometry import Grid, Plane, sample_plane
from ..core.layout import Layout
from ..core.stack import Stack

ON_GRID_MM = 0.01
"""An acquired slice this close to a slice of the grid is that slice; DICOM writes positions to about 0.001
mm.
"""
STRAIGHT_PIXELS = 1e-3
"""Slices displaced in their plane by less than this fraction of a pixel are taken to lie straight above each
other.
"""
MOST_SLICES = 2000
TIE = 2e-3
"""What counts as half-way between two numbers of slices."""


def _whole(quotient: float) -> int:
    """The nearest whole number from 1; half-way between two the lower, however positions are rounded."""
    return max(1, ceil(quotient - 0.5 - TIE))


def slice_spacing(positions: np.ndarray, spacing: float) -> float:
    """The distance between output slices, near ``spacing`` mm, that places every acquired slice on the grid
    if one can.

    A regular gap is divided evenly: gap / round(gap / spacing). Where gaps differ, that division of the
    smallest gap is taken if it divides every gap, and else the one nearest to ``spacing``, within a third to
    either side, that does; if there is none, the length of the stack is divided evenly and acquired slices
    may fall between slices of the grid.
    """
    gaps, length = np.diff(positions), positions[-1]
    smallest = gaps.min()
    parts = _whole(smallest / spacing)
    others = range(max(1, ceil(smallest / (4 / 3 * spacing))), floor(smallest / (2 / 3 * spacing)) + 1)
    for divisions in (parts, *sorted(others, key=lambda number: abs(smallest / number - spacing))):
        # From the whole length, so that rounding in the file's positions does not add up.
        count = np.round(gaps / (smallest / divisions)).sum()
        step = length / count
        misses = np.abs(positions - step * np.round(positions / step))
        if count <= MOST_SLICES and misses.max() <= ON_GRID_MM:
            return float(step)
    return float(length / _whole(length / spacing))


def plan_layout(stack: Stack, spacing: float | None = None) -> Layout:
    """The grid of a stack's reconstruction: the first slice's in plane, slices about ``spacing`` mm apart.

    spacing: mm; None takes the in-plane spacing. Raises InputError for a spacing that makes no sense.
    """
    if spacing is None:
        spacing = min(stack.spacing)
    positions = stack.positions
    if not 0 < spacing <= positions[-1] + ON_GRID_MM or positions[-1] / spacing > MOST_SLICES:
        raise InputError(
            f"A slice spacing of {spacing:g} mm does not suit a stack of {positions[-1]:.0f} mm length."
        )
    step = slice_spacing(positions, spacing)
    count = round(positions[-1] / step) + 1
    wanted = np.arange(count) * step
    nearest = np.abs(wanted[:, None] - positions).argmin(1)
    acquired = [
        int(index) if abs(positions[index] - position) <= ON_GRID_MM else None
        for index, position in zip(nearest, wanted, strict=True)
    ]
    for z, index in enumerate(acquired):
        if index is not None:
            wanted[z] = positions[index]
    grid = Grid(
        stack.origins[0], stack.step_x, stack.step_y, stack.normal * step, (count, *stack.frames.shape[2:])
    )
    return Layout(grid, wanted, tuple(acquired))


def extended(layout: Layout, low: float, high: float) -> Layout:
    """The layout with slices before the first and beyond the last one, as many as lie between ``low`` and
    ``high`` mm along the stack.
    """
    step = layout.grid.spacing[2]
    before = max(0, floor((layout.wanted[0] - low) / step + ON_GRID_MM))
    beyond = max(0, floor((high - layout.wanted[-1]) / step + ON_GRID_MM))
    count, *plane = layout.grid.shape
    grid = replace(
        layout.grid,
        origin=layout.grid.origin - before * layout.grid.step_z,
        shape=(before + count + beyond, *plane),
    )
    wanted = np.concatenate(
        [
            layout.wanted[0] - step * np.arange(before, 0, -1),
            layout.wanted,
            layout.wanted[-1] + step * np.arange(1, beyond + 1),
        ]
    )
    return Layout(grid, wanted, (*[None] * before, *layout.acquired, *[None] * beyond))


def straighten(stack: Stack) -> tuple[Stack, float]:
    """The stack with every slice in the in-plane frame of the first, and the largest displacement that was
    undone, mm.

    Slices that already lie straight along the normal keep their voxels untouched.
    """
    origins = stack.origins[0] + stack.positions[:, None] * stack.normal
    displacement = np.linalg.norm(stack.origins - origins, axis=1)
    if displacement.max() < STRAIGHT_PIXELS * min(stack.spacing):
        return stack, 0.0
    frames = np.empty_like(stack.frames)
    for index, origin in enumerate(origins):
        source, target = stack.plane(index), replace(stack.plane(index), origin=origin)
        frames[:, index] = sample_plane(stack.frames[:, index], source, target)
    return replace(stack, frames=frames, origins=origins), float(displacement.max())


def window_plane(plane: Plane, centre: np.ndarray, size: int, spacing: float) -> Plane:
    """A square plane of ``size`` pixels of ``spacing`` mm parallel to ``plane``, its middle at ``centre``
    (3,) LPS mm.
    """
    step_x = plane.step_x / np.linalg.norm(plane.step_x) * spacing
    step_y = plane.step_y / np.linalg.norm(plane.step_y) * spacing
    return Plane(centre - (step_x + step_y) * (size - 1) / 2, step_x, step_y, (size, size))
