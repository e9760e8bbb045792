"""Reading NIfTI-1 and NIfTI-2 files (nifti.nimh.nih.gov), packed or not, whose voxels follow the header.

nibabel reads the header alone: its images read extensions whole before anything can be checked (0.5 GB of a
file of 0.5 MB), and take memory for whatever number of voxels is claimed. ITK takes spacings from one part of
the header and directions from another, drops shear and scale without a word, and goes by the file's name.
"""

from __future__ import annotations

import re
import struct
from math import prod
from pathlib import Path

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from ..core.errors import InputError
from ..core.frame_times import plausible_times
from .image_file import ImageFile, Warn, damaged, in_colour, is_complex, no_spacing, wrong_dimensions
from .nifti_place import nifti_grid
from .sanity import check_size
from .unpacking import Source, unpacked

HEADERS: dict[bytes, tuple[type[Nifti1Header], str]] = {
    struct.pack(f"{order}i", kind.sizeof_hdr): (kind, order)
    for kind in (Nifti1Header, Nifti2Header)
    for order in "<>"
}
"""Version and byte order by the first four bytes."""
TIME_UNITS = {8: 1000.0, 16: 1.0, 24: 0.001}
"""Milliseconds in a second, a millisecond and a microsecond."""
VECTORS = (
    "general matrix", "symmetric matrix", "displacement vector", "vector", "pointset", "triangle",
    "quaternion", "rgb vector", "rgba vector", "shape",
)  # fmt: skip
"""Intents whose fifth dimension is no time."""


def read_nifti(path: Path, what: str, warn: Warn) -> ImageFile:
    """The image in a NIfTI file. Raises InputError."""
    with unpacked(path, what) as source:
        header = _header(source, what)
        sizes, axis = _sizes(header, what)
        _check_meaning(header, axis)
        start = float(header["vox_offset"])
        if not header.sizeof_hdr <= start < source.limit:
            raise damaged(what)
        check_size(prod(sizes), f"{what} file")
        grid = nifti_grid(header, sizes[2::-1], what, warn)
        source.skip(int(start) - header.sizeof_hdr)
        voxels = source.voxels(prod(sizes), header.get_data_dtype()).reshape(sizes[::-1])
    if axis > 4:
        warn(f"The frames lie along dimension {axis} of the NIfTI file, not the fourth; taken for time.")
    step, unit = float(header["pixdim"][axis]), int(header["xyzt_units"]) & 0x38
    times = plausible_times(
        np.arange(sizes[3]) * step * TIME_UNITS.get(unit, 1.0), "ms" if unit in TIME_UNITS else None
    )
    return ImageFile(_scaled(voxels, header, what), grid, times)


def _header(source: Source, what: str) -> Nifti1Header:
    """The header, which its first number tells the version and the byte order of."""
    data = source.stream.read(4)
    if data not in HEADERS:
        raise damaged(what)
    kind, order = HEADERS[data]
    data += source.stream.read(kind.sizeof_hdr - 4)
    if len(data) < kind.sizeof_hdr:
        raise damaged(what)
    header = kind(data, order, check=False)
    mark = header["magic"].item()
    if mark == kind.pair_magic:
        raise InputError(
            f"The {what} file is the header of a NIfTI pair, .hdr and .img; convert the pair to one .nii "
            "file."
        )
    if not mark.startswith(kind.single_magic):
        raise damaged(what)
    return header


def _sizes(header: Nifti1Header, what: str) -> tuple[tuple[int, int, int, int], int]:
    """(X, Y, Z, T) and which dimension, from 1, is that of the frames."""
    count, *sizes = header["dim"].tolist()
    if not 1 <= count <= 7 or min(sizes[:count]) < 1:
        raise damaged(what)
    if not all(0 < size < np.inf for size in header["pixdim"][1 : 1 + min(count, 3)]):
        raise no_spacing(what)
    beyond = [axis for axis in range(4, count + 1) if sizes[axis - 1] > 1]
    if count < 3 or len(beyond) > 1:
        raise wrong_dimensions()
    axis = beyond[0] if beyond else 4
    return (sizes[0], sizes[1], sizes[2], sizes[axis - 1] if beyond else 1), axis


def _check_meaning(header: Nifti1Header, axis: int) -> None:
    """Raise InputError for voxels that are no plain numbers."""
    kind = header.get_value_label("datatype")
    if kind.startswith("complex"):
        raise is_complex()
    if kind.startswith("RGB") or (axis > 4 and header.get_value_label("intent_code") in VECTORS):
        raise in_colour()
    if not re.fullmatch(r"u?int\d+|float(32|64)", kind):
        raise InputError(
            f"The NIfTI file holds voxels of type {header['datatype']}, which is not read; convert them."
        )


def _scaled(voxels: np.ndarray, header: Nifti1Header, what: str) -> np.ndarray:
    """The voxels as intensities: slope times number plus intercept, where there is a slope."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or (slope == 1 and intercept == 0) or np.isnan(slope):
        return voxels
    if not np.isfinite([slope, intercept]).all():
        raise InputError(f"The scale of the intensities in the {what} file is not a number; export it again.")
    out = voxels.astype(np.float32)
    with np.errstate(over="ignore"):  # infinite intensities are for the checks of the stack to refuse
        out *= np.float32(slope)
        out += np.float32(intercept)
    return out
