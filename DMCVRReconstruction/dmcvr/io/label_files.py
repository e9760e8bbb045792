"""Reading labels, which belong to a stack by where they lie in space, not by the order of their voxels."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.geometry import Grid
from ..core.labels import LVC, LVM, NAMES, remap, surrounded
from ..core.stack import Stack
from .formats import read_image_file
from .image_file import ImageFile, Warn
from .nrrd import SLICE_ORIGINS
from .segments import has_segments, segment_labels
from .volumes import sorted_stack

WHOLE = 1e-3
"""A value this close to a whole number is that number, as in files that went through a scaling."""
SAME_LATTICE = 0.25
"""Share of a voxel by which two lattices may drift apart over the length of the image and still be one."""
SAME_PLACE = 0.25
"""Share of a pixel to which voxels of one lattice must coincide."""
LEAST_INSIDE = 0.98
"""Share of the labelled voxels that lies within the stack; where it is less, the user should know."""
TIE = 1e-3
"""Half-way between two voxels, to this share of one, the lower index is nearest, however places are
rounded.
"""


def read_labels(
    path: str | Path,
    stack: Stack,
    values: tuple[int, int, int] = (1, 2, 3),
    warn: Warn | None = None,
) -> np.ndarray:
    """Labels of ``stack``'s slices, (T, S, H, W) uint8 in the project's order, T being 1 or the stack's own.

    values: the numbers in the file for (LVC, LVM, RVC). A Slicer segmentation (.seg.nrrd) with segments of
    these names tells its own numbers. The voxels may be stored in any order or orientation, cropped, or on
    another lattice: each of the stack's pixels has the label of the nearest voxel.
    warn: hears of what is odd, ``warnings.warn`` if None.
    Raises InputError where the file does not fit the stack, holds other values, or seems to swap them.
    """
    warn = warn or (lambda message: warnings.warn(message, stacklevel=3))
    return fit_labels(read_image_file(Path(path), "label", warn), stack, values, warn)


def fit_labels(file: ImageFile, stack: Stack, values: tuple[int, int, int], warn: Warn) -> np.ndarray:
    """Labels of ``stack``'s slices from what a file holds; see `read_labels`."""
    segmentation = has_segments(file)
    if segmentation:
        numbers = segment_labels(file, values, warn)[None]
    else:
        numbers = remap(_whole_values(file, values), values)
    if not numbers.any():
        raise InputError("The label file is empty; give the file with the drawn labels.")
    if len(numbers) not in (1, len(stack.frames)):
        raise InputError(
            f"The labels have {len(numbers)} frames but the image has {len(stack.frames)}; give labels drawn "
            "on this very image."
        )
    if SLICE_ORIGINS in file.fields:
        labels = _on_slices(replace(file, voxels=numbers), stack)
    else:
        labels = sample_nearest(numbers, file.grid, stack)
        if not labels.any():
            raise InputError(
                "The label file holds none of LVC, LVM and RVC where the image slices are; give labels drawn "
                "on this very image."
            )
        if not segmentation:
            _check_lattice(file.grid, stack, warn)
        _check_coverage(numbers, file.grid, stack, segmentation, warn)
    _check_order(labels, values)
    return labels


def _whole_values(file: ImageFile, values: tuple[int, int, int]) -> np.ndarray:
    """(T, Z, Y, X) numbers of the labels. Raises InputError for values that are none."""
    numbers = file.voxels
    if numbers.dtype.kind == "f":
        whole = np.rint(numbers)
        near = np.abs(numbers - whole) <= WHOLE
        if not near.all():
            raise InputError(
                "The label file holds values besides whole numbers, such as "
                f"{numbers[~near].flat[0]:g}; give labels that were not smoothed or resampled linearly."
            )
        numbers = whole
    found = set(np.unique(numbers).tolist())
    if not found <= {0, *values}:
        other = ", ".join(f"{value:g}" for value in sorted(found - {0, *values})[:5])
        raise InputError(
            f"The label file holds values besides 0 and {values} (such as {other}); name the values of "
            "LVC, LVM and RVC with --label-values."
        )
    return numbers


def sample_nearest(numbers: np.ndarray, grid: Grid, stack: Stack) -> np.ndarray:
    """(T, S, H, W) of ``numbers`` (T, Z, Y, X) on ``grid`` at the pixels of ``stack``; 0 beyond the
    voxels.
    """
    out = np.zeros((len(numbers), len(stack.origins), *stack.frames.shape[2:]), numbers.dtype)
    last = np.array(grid.shape) - 1
    for index in range(len(stack.origins)):
        nearest = np.ceil(grid.indices(stack.plane(index).points()) - 0.5 - TIE).astype(np.int64)
        inside = ((nearest >= 0) & (nearest <= last)).all(-1)
        z, y, x = nearest[inside].T
        out[:, index, inside] = numbers[:, z, y, x]
    return out


def _on_slices(file: ImageFile, stack: Stack) -> np.ndarray:
    """Labels of a file whose slices lie at irregular places. Raises InputError unless they are the
    stack's.
    """
    drawn = sorted_stack(file)
    same = drawn.frames.shape[1:] == stack.frames.shape[1:]
    if not same or np.abs(drawn.origins - stack.origins).max() > SAME_PLACE * min(stack.spacing):
        raise InputError(
            "The labels lie at other places than the image's slices; give labels drawn on these."
        )
    return drawn.frames.astype(np.uint8)


def _check_lattice(grid: Grid, stack: Stack, warn: Warn) -> None:
    """Tell of labels on another lattice than the stack's; raise InputError for labels on its very lattice
    that lie between its pixels, or that have its size but another place: those are of another image.
    """
    height, width = stack.frames.shape[2:]
    count = len(stack.origins)
    steps = np.array([stack.step_x, stack.step_y, *np.diff(stack.origins, axis=0)])
    in_voxels = steps @ np.linalg.inv(grid.affine[:3, :3]).T
    whole = np.rint(in_voxels)
    drift = np.abs(in_voxels - whole).max(1) * [width, height, *[count] * (count - 1)]
    if drift.max() > SAME_LATTICE or (np.abs(whole).sum(1) != 1).any():
        warn(
            "The labels lie on another grid than the image's pixels; each pixel was given the label of the "
            "nearest voxel."
        )
        return
    ends = stack.origins[[0, -1]]
    opposite = ends + (width - 1) * stack.step_x + (height - 1) * stack.step_y
    corners = grid.indices(np.concatenate([ends, opposite]))
    away = np.abs(corners - np.rint(corners)) * grid.spacing[::-1]
    if sorted(grid.shape) == sorted((count, height, width)):
        first, last = corners.min(0), corners.max(0) - np.array(grid.shape) + 1
        away = np.abs([first, last]) * grid.spacing[::-1]
    distance = float(np.linalg.norm(away, axis=1).max())
    if distance > SAME_PLACE * min(stack.spacing):
        raise InputError(
            f"The labels lie up to {distance:.1f} mm away from the image's pixels; give labels drawn on this "
            "very image."
        )


def _check_coverage(numbers: np.ndarray, grid: Grid, stack: Stack, segmentation: bool, warn: Warn) -> None:
    """Tell of labels beyond the stack, and of slices that the file does not reach."""
    z, y, x = np.nonzero(numbers.any(0))
    offset = grid.position(np.stack([z, y, x], -1)) - stack.origins[0]
    inside = np.ones(len(offset), bool)
    gaps = stack.gaps if len(stack.gaps) else np.array([np.inf])
    positions = offset @ stack.normal
    inside &= (positions >= -gaps[0] / 2 - 0.01) & (positions <= stack.positions[-1] + gaps[-1] / 2 + 0.01)
    for step, size in ((stack.step_x, stack.frames.shape[3]), (stack.step_y, stack.frames.shape[2])):
        along = offset @ step / (step @ step)
        inside &= (along >= -0.6) & (along <= size - 0.4)
    if inside.mean() < LEAST_INSIDE:
        warn(
            f"{100 * (1 - inside.mean()):.0f} % of the labelled voxels lie beyond the image's slices and are "
            "not in its volumes."
        )
    if not segmentation:  # Slicer crops to what is drawn
        covered = sample_nearest(np.ones((1, *grid.shape), np.uint8), grid, stack)[0].any((1, 2))
        if not covered.all():
            lost = ", ".join(str(index + 1) for index in np.flatnonzero(~covered))
            warn(f"The label file does not reach slices {lost}, which were taken to have no labels.")


def _check_order(labels: np.ndarray, values: tuple[int, int, int]) -> None:
    """Raise InputError where not LVM but another label surrounds, or LVM surrounds not LVC but another."""
    order = list(NAMES)
    share = {(a, b): surrounded(labels, a, b) for a in order for b in order if a != b}
    inner, wall = max(share, key=lambda pair: share[pair])
    if share[LVC, LVM] < 0.5 and share[inner, wall] > 0.7:
        rest = next(label for label in order if label not in (inner, wall))
        better = ",".join(str(values[order.index(label)]) for label in (inner, wall, rest))
        raise InputError(
            f"The labels seem to be swapped: {NAMES[inner]} lies inside {NAMES[wall]}; give the numbers "
            f"of LVC, LVM and RVC, probably --label-values {better}."
        )
