"""Writing volumes and cines as NIfTI-1 files (nifti.nimh.nih.gov), packed where the name ends in .gz.

A cine is one file of four dimensions. The place of the voxels is told twice, by sform and qform, both in the
scanner's coordinates (RAS), to the precision of 32-bit numbers. Nothing else of an input gets into the file.
"""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np

from ..core.geometry import Grid
from .nifti_place import RAS_TO_LPS, SCANNER
from .nrrd import check_upright

LABEL_INTENT = "label"


def write_nifti(
    path: str | Path, array: np.ndarray, grid: Grid, times: np.ndarray | None = None, labels: bool = False
) -> None:
    """Write ``array`` (Z, Y, X) or (T, Z, Y, X) on ``grid`` (LPS mm) to the .nii or .nii.gz ``path``.

    times: (T,) ms. The format holds no more of them than their start and their mean distance. labels: the
    voxels are labels. Raises InputError where the grid is sheared, which a qform cannot hold.
    """
    if array.shape[-3:] != tuple(grid.shape) or array.ndim not in (3, 4):
        raise ValueError(f"an array of shape {array.shape} does not fit a grid of shape {grid.shape}")
    check_upright(grid)
    affine = np.eye(4)
    affine[:3] = RAS_TO_LPS @ grid.affine[:3]
    image = nibabel.Nifti1Image(array.T, affine)
    image.set_sform(affine, SCANNER)
    image.set_qform(affine, SCANNER)
    header = image.header
    header.set_xyzt_units("mm", "msec" if times is not None else "unknown")
    if array.ndim == 4 and times is not None:
        header["pixdim"][4], header["toffset"] = np.diff(times).mean(), times[0]
    if labels:
        header.set_intent(LABEL_INTENT)
    image.to_filename(path)
