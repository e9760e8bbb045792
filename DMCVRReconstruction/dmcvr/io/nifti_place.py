"""Where the voxels of a NIfTI file lie, told up to three times in its header: by sform, qform and pixdim.

The standard (nifti1.h, "ORIENTATION AND LOCATION IN SPACE") has the sform, an affine matrix, go before the
qform, a rotation with the pixdim for spacings, and both before the pixdim alone. The two may mean different
spaces, as the scanner's and an atlas's; the scanner's is the patient's. They may also contradict each other
or the pixdim, which the user must hear of.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

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
QUATERNION_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Placement:
    """The parts of a header that say where voxels lie, in mm.

    spacing: (3,), pixdim. handedness: of the qform, 1 or -1. sform: (3, 4), voxel indices to RAS.
    quaternion: (3,), b, c and d. offset: (3,) RAS of the qform's first voxel. The codes are 0 where a form
    does not hold.
    """

    spacing: np.ndarray
    handedness: float
    sform_code: int
    sform: np.ndarray
    qform_code: int
    quaternion: np.ndarray
    offset: np.ndarray


def nifti_grid(placement: Placement, shape: tuple[int, int, int], what: str, warn: Warn) -> Grid:
    """The grid (LPS) of a file of ``shape`` (Z, Y, X), by the standard's order; ``warn`` hears of
    contradictions. Raises InputError where spacings contradict each other by more than SPACING_REFUSED.
    """
    sform = placement.sform if placement.sform_code > 0 and _holds(placement.sform) else None
    qform = _qform(placement, what) if placement.qform_code > 0 else None
    chosen = sform if sform is not None else qform
    if placement.sform_code > 0 and sform is None:
        warn("The sform of the NIfTI header is no transform and was passed over.")
    if sform is not None and qform is not None:
        chosen = _of_two(placement, sform, qform, shape, warn)
    if chosen is None:
        warn(
            "The NIfTI header does not say where its slices lie; they were placed by the voxels' size alone, "
            "left and right being those of the radiological order."
        )
        affine = np.column_stack([RAS_TO_LPS @ np.diag(placement.spacing), np.zeros(3)])
    else:
        affine = chosen
    if chosen is not None and chosen is sform:
        _compare_spacings(sform, placement.spacing, warn)
    turned = RAS_TO_LPS @ affine
    return lattice(turned[:, 3], turned[:, :3].T, shape, what)


def _qform(placement: Placement, what: str) -> np.ndarray:
    """(3, 4), voxel indices to RAS (nifti1.h, method 2). Raises InputError for what is no rotation."""
    b, c, d = placement.quaternion
    rest = 1.0 - (b * b + c * c + d * d)
    if not rest > -QUATERNION_TOLERANCE or not np.isfinite(placement.offset).all():
        raise InputError(f"The qform of the {what} file is no rotation; export it again.")
    a = np.sqrt(max(rest, 0.0))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    rotation /= np.linalg.norm(rotation, axis=0)  # of a quaternion a little longer than 1
    steps = rotation * placement.spacing * [1, 1, placement.handedness]
    return np.column_stack([steps, placement.offset])


def _of_two(
    placement: Placement, sform: np.ndarray, qform: np.ndarray, shape: tuple[int, int, int], warn: Warn
) -> np.ndarray:
    """The one of two forms that counts."""
    corners = np.array([[*corner, 1] for corner in product(*((0, size - 1) for size in shape[::-1]))], float)
    apart = np.linalg.norm(corners @ (sform - qform).T, axis=1).max()
    diagonal = np.linalg.norm((corners[-1] - corners[0])[:3] * placement.spacing)
    if apart <= max(AGREE_MM, AGREE_SHARE * diagonal):
        return sform
    by_scanner = placement.qform_code == SCANNER and placement.sform_code != SCANNER
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
