"""Images that a caller holds in memory, as if read from a file: of SimpleITK, and arrays with an affine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, Union

import numpy as np

from ..core.errors import InputError
from ..core.frame_times import plausible_times
from ..core.geometry import Grid
from ..core.stack import Stack
from .image_file import ImageFile, in_colour, is_complex, lattice, no_spacing, wrong_dimensions
from .nrrd import SLICE_ORIGINS, check_upright
from .sanity import check_size, check_stack
from .volumes import sorted_stack

if TYPE_CHECKING:
    import SimpleITK

Source: TypeAlias = Union[str, os.PathLike[str], "SimpleITK.Image", np.ndarray, Stack]
"""A path, a SimpleITK image, an array that goes with an affine, or a stack."""


def is_path(source: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether ``source`` names a file or a folder."""
    return isinstance(source, str | os.PathLike)


def stack_in_memory(
    source: Source, affine: np.ndarray | None = None, slices: int = 2, what: str = "image"
) -> Stack:
    """The stack of at least ``slices`` slices that ``source``, no path, is. Raises InputError; see
    `image_in_memory`.
    """
    stack = source if isinstance(source, Stack) else sorted_stack(image_in_memory(source, affine, what))
    check_stack(stack, slices)
    return stack


def labels_in_memory(labels: Source, source: Source, affine: np.ndarray | None, stack: Stack) -> ImageFile:
    """What a file with the ``labels`` of a ``stack`` would hold.

    labels: a SimpleITK image, or an array like ``source``, if that is an array with its ``affine``, or of the
    slices of the Stack that ``source`` is. Raises InputError for other things.
    """
    if not isinstance(labels, np.ndarray) or isinstance(source, np.ndarray):
        return image_in_memory(labels, affine if isinstance(labels, np.ndarray) else None, "label image")
    if not isinstance(source, Stack):
        raise InputError(
            "Labels that are an array do not say where they lie: give the image as an array or a Stack as "
            "well, or the labels as a file or a SimpleITK image."
        )
    if labels.ndim not in (3, 4) or labels.shape[-3:] != stack.frames.shape[1:]:
        raise InputError("The labels do not have the frames, slices and pixels of the image.")
    grid = Grid(stack.origins[0], stack.step_x, stack.step_y, stack.normal, labels.shape[-3:])
    places = " ".join(str(value) for value in stack.origins.ravel())
    return ImageFile(labels.reshape(-1, *labels.shape[-3:]), grid, fields={SLICE_ORIGINS: places})


def image_in_memory(source: Source, affine: np.ndarray | None, what: str) -> ImageFile:
    """What a file with the image ``source`` would hold.

    source: a SimpleITK image of three or four dimensions, the fourth being time, or an array (Z, Y, X) or
    (T, Z, Y, X). affine: (4, 4), takes (x, y, z, 1) voxel indices to LPS mm; for arrays, which need it, only.
    what: the image is, for messages. Raises InputError for other things, and for axes that make no sense.
    """
    if isinstance(source, np.ndarray):
        if affine is None:
            raise InputError(
                f"The {what} is an array, which does not say where its voxels lie: give its affine as well."
            )
        return _of_array(source, np.asarray(affine, float), what)
    if affine is not None:
        raise InputError("An affine goes with an array only; other images say themselves where they lie.")
    if type(source).__module__.partition(".")[0] != "SimpleITK":
        raise InputError(
            f"The {what} is of type {type(source).__name__}; give a path, a SimpleITK image, a NumPy array "
            "with its affine, or a Stack."
        )
    return _of_sitk(source, what)


def to_sitk(array: np.ndarray, grid: Grid, times: np.ndarray | None) -> SimpleITK.Image:
    """``array`` (T, Z, Y, X) on ``grid`` as a SimpleITK image, of four dimensions or, where T is 1, of three.

    times: (T,) ms, whose mean distance and start are those of the fourth dimension; without, frames are 1
    apart. Raises InputError where the grid is sheared, which such images cannot be.
    """
    import SimpleITK as sitk

    check_upright(grid)
    several = len(array) > 1
    image = sitk.GetImageFromArray(array if several else array[0], isVector=False)
    start, step = (0.0, 1.0) if times is None or not several else (times[0], np.diff(times).mean())
    axes = np.eye(4)
    axes[:3, :3] = grid.affine[:3, :3] / grid.spacing
    count = 4 if several else 3
    image.SetSpacing([*grid.spacing, float(step)][:count])
    image.SetOrigin([*grid.origin.tolist(), float(start)][:count])
    image.SetDirection(axes[:count, :count].ravel().tolist())
    return image


def _of_array(array: np.ndarray, affine: np.ndarray, what: str) -> ImageFile:
    if affine.shape != (4, 4) or not np.array_equal(affine[3], [0, 0, 0, 1]):
        raise InputError("The affine must be 4 x 4, from voxel indices (x, y, z, 1) to LPS mm.")
    return _file(array, affine[:3, 3], affine[:3, :3].T, None, what)


def _of_sitk(image: Any, what: str) -> ImageFile:
    import SimpleITK as sitk  # takes a while; who has an image has it already

    if image.GetNumberOfComponentsPerPixel() != 1:
        raise in_colour()
    count = image.GetDimension()
    if count not in (3, 4):
        raise wrong_dimensions()
    axes = np.array(image.GetDirection()).reshape(count, count)[:3, :3]
    spacing = np.array(image.GetSpacing())
    if not spacing[:3].min() > 0:
        raise no_spacing(what)
    times = np.arange(image.GetSize()[3]) * spacing[3] if count == 4 else None
    origin = np.array(image.GetOrigin()[:3])
    return _file(sitk.GetArrayFromImage(image), origin, axes.T * spacing[:3, None], times, what)


def _file(
    array: np.ndarray, origin: np.ndarray, steps: np.ndarray, times: np.ndarray | None, what: str
) -> ImageFile:
    if array.ndim not in (3, 4):
        raise wrong_dimensions()
    if array.dtype.kind == "c":
        raise is_complex()
    if array.dtype.kind not in "buif":
        raise InputError(f"The {what} holds values of type {array.dtype}; give numbers.")
    check_size(array.size, what)
    z, y, x = array.shape[-3:]
    grid = lattice(origin, steps, (z, y, x), what)
    return ImageFile(array.reshape(-1, z, y, x), grid, None if times is None else plausible_times(times))
