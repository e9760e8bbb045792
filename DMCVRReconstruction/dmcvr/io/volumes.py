"""Reading stacks and long-axis images from NIfTI, NRRD and MetaImage files.

Slices lie along the third axis of a file and frames along the one that is not in space. Slices are sorted
along step_x cross step_y, so a left-handed file comes out right, each slice at its true place.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np

from ..core.geometry import Grid
from ..core.stack import Stack
from .crossing import check_crossing
from .formats import read_image_file
from .image_file import ImageFile, Warn, damaged
from .nrrd import SLICE_ORIGINS
from .sanity import check_stack


def warn_python(message: str) -> None:
    """Tell of odd input by ``warnings.warn``, where the caller does not take it otherwise."""
    warnings.warn(message, stacklevel=3)


def read_stack(path: str | Path, warn: Warn = warn_python) -> Stack:
    """The SAX stack in a 3D or 4D file, or in a DICOM folder.

    warn: hears of what is odd about the input. Frame times below 1 between frames are taken for seconds
    unless the file names the unit; an implausible distance between frames, such as the default of 1, gives
    ``times=None``. Raises InputError where the path holds no plausible stack.
    """
    path = Path(path)
    if os.path.isdir(path):
        from .dicom.study import read_study  # pydicom, which files do not need

        study = read_study(path)
        for message in study.warnings:
            warn(message)
        return study.sax
    stack = sorted_stack(read_image_file(path, "image", warn))
    check_stack(stack)
    return stack


def read_grid(path: str | Path) -> Grid:
    """Where the voxels of a 3D or 4D file lie, slices in the file's own order, which ``read_stack`` may turn
    round. Raises InputError.
    """
    return read_image_file(Path(path), "image", lambda message: None).grid


def read_lax(path: str | Path, stack: Stack | None = None, warn: Warn = warn_python) -> Stack:
    """One long-axis image, still or cine, from a file with usually one slice (S = 1).

    stack: the SAX stack that it must cross, if that is to be checked. Raises InputError.
    """
    image = sorted_stack(read_image_file(Path(path), "long-axis image", warn))
    check_stack(image, slices=1)
    if stack is not None:
        check_crossing(image, stack)
    return image


def sorted_stack(file: ImageFile) -> Stack:
    """The slices of an image file sorted along their normal. Raises InputError."""
    grid = file.grid
    origins = grid.position(np.arange(grid.shape[0])[:, None] * [1, 0, 0])
    if written := file.fields.get(SLICE_ORIGINS):
        try:
            origins = np.array([float(word) for word in written.split()]).reshape(origins.shape)
        except ValueError as error:
            raise damaged("image") from error
    frames = file.voxels.astype(np.float32, copy=False)
    stack = Stack(frames, origins, grid.step_x, grid.step_y, file.times)
    if grid.step_z @ np.cross(grid.step_x, grid.step_y) < 0:
        return stack.select(slices=np.arange(grid.shape[0])[::-1])
    return stack
