"""Where the voxels of a NIfTI file lie, told up to three times in its header: by sform, qform and pixdim.

The standard (nifti1.h, "ORIENTATION AND LOCATION IN SPACE") has the sform, an affine matrix, go before the
qform, a rotation with the pixdim for spacings, and both before the pixdim alone. The two may mean different
spaces, as the scanner's and an atlas's; the scanner's is the patient's. They may also contradict each other
or the pixdim, which the user must hear of.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from nibabel.nifti1 import Nifti1Header

from ..core.errors import InputError
from ..core.geometry import Grid
from .image_file import Warn, lattice

SCANNER = 1
"""The code of coordinates as the scanner gives them."""
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])
AGREE_MM, AGREE_SHARE = 0.5, 2e-3
"""Places agree to this distance, or to this share of the volume's diagonal, which rounded numbers reach."""
SPACING_TOLD, SPACING_REFUSED = 5e-3, 5e-2
"""From which share on a contradiction between the spacings of sform and pixdim is told, and refused."""
LONGEST_QUATERNION = 1.005
SPACE_UNITS = {1: 1000.0, 3: 0.001}
"""Millimetres in a metre and in a micrometre; all else is millimetres."""


def nifti_grid(header: Nifti1Header, shape: tuple[int, int, int], what: str, warn: Warn) -> Grid:
    """The grid (LPS) of a file of ``shape`` (Z, Y, X), by the standard's order; ``warn`` hears of
    contradictions. Raises InputError where spacings contradict each other by more than SPACING_REFUSED.
    """
    scale = SPACE_UNITS.get(int(header["xyzt_units"]) & 0x07, 1.0)
    spacing = header["pixdim"][1:4].astype(float) * scale
    sform = header.get_sform()[:3] * scale if header["sform_code"] > 0 else None
    qform = _qform(header, what) * scale if header["qform_code"] > 0 else None
    if sform is not None and not _holds(sform):
        warn("The sform of the NIfTI header is no transform and was passed over.")
        sform = None
    affine = sform if sform is not None else qform
    if sform is not None and qform is not None:
        by_scanner = header["qform_code"] == SCANNER and header["sform_code"] != SCANNER
        affine = _of_two(sform, qform, by_scanner, spacing, shape, warn)
    if affine is None:
        warn(
            "The NIfTI header does not say where its slices lie; they were placed by the voxels' size alone, "
            "left and right being those of the radiological order."
        )
        affine = np.column_stack([RAS_TO_LPS @ np.diag(spacing), np.zeros(3)])
    elif affine is sform:
        _compare_spacings(sform, spacing, warn)
    turned = RAS_TO_LPS @ affine
    return lattice(turned[:, 3], turned[:, :3].T, shape, what)


def _qform(header: Nifti1Header, what: str) -> np.ndarray:
    """(3, 4), voxel indices to RAS. Raises InputError for what is no rotation."""
    header = header.copy()
    header["pixdim"][0] = -1 if header["pixdim"][0] < 0 else 1
    names = [f"quatern_{part}" for part in "bcd"]
    length = np.linalg.norm([header[name].item() for name in names])
    if 1 < length <= LONGEST_QUATERNION:  # by rounding, which nibabel allows less of
        for name in names:
            header[name] = header[name].item() / length
    try:
        qform: np.ndarray = header.get_qform()[:3]
    except ValueError:
        qform = np.full((3, 4), np.nan)
    if not np.isfinite(qform).all():
        raise InputError(f"The qform of the {what} file is no rotation; export it again.")
    return qform


def _of_two(
    sform: np.ndarray,
    qform: np.ndarray,
    by_scanner: bool,
    spacing: np.ndarray,
    shape: tuple[int, int, int],
    warn: Warn,
) -> np.ndarray:
    """The one of two forms that counts. by_scanner: only the qform is said to be in its coordinates."""
    corners = np.array([[*corner, 1] for corner in product(*((0, size - 1) for size in shape[::-1]))], float)
    apart = np.linalg.norm(corners @ (sform - qform).T, axis=1).max()
    diagonal = np.linalg.norm((corners[-1] - corners[0])[:3] * spacing)
    if apart <= max(AGREE_MM, AGREE_SHARE * diagonal):
        return sform
    taken, reason = "sform", "as the NIfTI standard puts it first"
    if by_scanner:
        taken, reason = "qform", "as it alone is said to be in the scanner's coordinates"
    warn(
        f"The NIfTI header contradicts itself: sform and qform place voxels up to {apart:.1f} mm apart. The "
        f"{taken} was taken, {reason}; see that the volumes are right."
    )
    return qform if by_scanner else sform


def _compare_spacings(sform: np.ndarray, spacing: np.ndarray, warn: Warn) -> None:
    """Tell, or refuse, a pixdim that is not the length of the sform's steps."""
    lengths = np.linalg.norm(sform[:, :3], axis=0)
    off = np.abs(lengths / spacing - 1).max()
    if not off > SPACING_TOLD:
        return
    ours, theirs = (" x ".join(f"{value:.4g}" for value in item) for item in (lengths, spacing))
    text = (
        f"The NIfTI header contradicts itself: voxels of {ours} mm by its sform, of {theirs} mm by its pixdim"
    )
    if off > SPACING_REFUSED:
        raise InputError(f"{text}; correct the spacing, or export it again.")
    warn(f"{text}; the sform's were taken.")


def _holds(sform: np.ndarray) -> bool:
    """Whether an sform is an affine transform in space."""
    lengths = np.linalg.norm(sform[:, :3], axis=0)
    if not np.isfinite(sform).all() or not (lengths > 0).all():
        return False
    return bool(abs(np.linalg.det(sform[:, :3] / lengths)) > 1e-3)
