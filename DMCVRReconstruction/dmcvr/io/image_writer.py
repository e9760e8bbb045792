"""Writing images in the format that the file's name asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..core.geometry import Grid
from .formats import NIFTI
from .nifti_writer import write_nifti
from .nrrd import write_volume

WRITTEN_NIFTI = tuple(suffix for suffix in NIFTI if not suffix.endswith(".bz2"))


def is_nifti_name(path: Path) -> bool:
    """Whether the name is that of a NIfTI file which can be written."""
    return path.name.lower().endswith(WRITTEN_NIFTI)


def write_frames(
    path: Path, frames: np.ndarray, grid: Grid, times: np.ndarray | None = None, *, labels: bool = False
) -> None:
    """Write ``frames`` (T, Z, Y, X) on ``grid`` (LPS mm) to ``path``, .nrrd, .nii or .nii.gz: one frame as a
    volume, several as one file of a cine, in NRRD the sequence that 3D Slicer opens.

    times: (T,) ms. labels: the voxels are labels. Raises InputError where the grid is sheared.
    """
    several = len(frames) > 1
    write = write_nifti if is_nifti_name(path) else write_volume
    write(path, frames if several else frames[0], grid, times if several else None, labels=labels)
