"""What an image or label file holds, whatever its format, and what is said of one that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..core.errors import InputError
from ..core.geometry import Grid, unit

Warn = Callable[[str], None]
"""Takes a plain sentence that the user should know of the input."""

LEAST_TURNED = 1e-6
"""Cosine between axes below which they are perpendicular but for the rounding of 32-bit numbers."""
ROUNDED = 1e-2
"""Largest cosine between rows and columns that passes for rounding and is taken out. Direction cosines of
three decimals reach 0.002, of two decimals 0.02, of which half the range is refused.
"""
ROUNDED_LEAN = 2e-3
"""The same for slices against the normal: 0.2 mm over a stack of 100 mm. What leans more is displaced."""
STEEPEST_LEAN = 1.0
"""A slice may lie as far beside the one below it as above it, 45 degrees; beyond, the header is wrong."""


@dataclass(frozen=True)
class ImageFile:
    """Voxels and where they lie.

    voxels: (T, Z, Y, X) of any real type; T frames, or layers of a segmentation, 1 where there is no such
        axis.
    grid: of a frame, LPS mm.
    times: (T,) ms, or None where the file does not say.
    fields: the key/value pairs of an NRRD file, for instance those of Slicer's segments.
    """

    voxels: np.ndarray
    grid: Grid
    times: np.ndarray | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


def damaged(what: str) -> InputError:
    """What is said of a file that cannot be read. ``what`` it is stands for its name."""
    return InputError(f"The {what} file cannot be read; it is damaged, incomplete or of another format.")


def no_spacing(what: str) -> InputError:
    """What is said of a file whose voxels have no size."""
    return InputError(
        f"The voxel spacing in the {what} file is zero or negative; correct it, or export it again."
    )


def in_colour() -> InputError:
    """What is said of voxels that are vectors."""
    return InputError("The image is in colour or holds vectors; give the greyscale cine images.")


def is_complex() -> InputError:
    """What is said of voxels that are complex numbers."""
    return InputError("The image holds complex numbers; give the magnitude images.")


def wrong_dimensions() -> InputError:
    """What is said of an image that is flat, or has more than one axis besides those in space."""
    return InputError(
        "The image must have three dimensions, or four with time, to have a place in space; give one cine "
        "or one volume."
    )


def lattice(origin: np.ndarray, steps: np.ndarray, shape: tuple[int, int, int], what: str) -> Grid:
    """The grid of a file, its axes made perpendicular where only rounding keeps them from it.

    origin: (3,) LPS mm. steps: (3, 3) mm, rows are the steps along x, y and z. shape: (Z, Y, X).
    Rows and columns whose cosine is at most ROUNDED are both turned by half the angle between; a step from
    slice to slice that leans by at most ROUNDED_LEAN is put upright. Slices that lean more stay displaced.
    Raises InputError for axes that are no numbers, of no length, or not independent.
    """
    if not (np.isfinite(origin).all() and np.isfinite(steps).all()):
        raise InputError(f"The position in space in the {what} file is not a number; export it again.")
    lengths = np.linalg.norm(steps, axis=1)
    if not (lengths > 0).all():
        raise no_spacing(what)
    x, y = steps[0] / lengths[0], steps[1] / lengths[1]
    cosine = float(x @ y)
    if abs(cosine) > ROUNDED:
        raise InputError(f"The axes of the {what} file are not perpendicular; export it again.")
    step_x, step_y, step_z = steps
    if abs(cosine) > LEAST_TURNED:
        step_x, step_y = lengths[0] * unit(x - cosine / 2 * y), lengths[1] * unit(y - cosine / 2 * x)
    normal = unit(np.cross(step_x, step_y))
    upright = float(step_z @ normal)
    lean = float(np.linalg.norm(step_z - upright * normal))
    if lean > STEEPEST_LEAN * abs(upright):
        raise InputError(
            f"The slices of the {what} file lean by more than 45 degrees, so its axes are not perpendicular "
            "but sheared; export it again."
        )
    if LEAST_TURNED * lengths[2] < lean <= ROUNDED_LEAN * lengths[2]:
        step_z = normal * np.sign(upright) * lengths[2]
    return Grid(np.asarray(origin, float), step_x, step_y, step_z, shape)
