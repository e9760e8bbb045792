"""Reading NIfTI-1 and NIfTI-2 files (nifti.nimh.nih.gov), packed or not, whose voxels follow the header.

Read here and not by ITK, which takes spacings from one part of the header and directions from another, drops
shear and scale without a word, and goes by the file's name.
"""

from __future__ import annotations

import struct
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.frame_times import plausible_times
from .image_file import ImageFile, Warn, damaged, in_colour, is_complex, no_spacing, wrong_dimensions
from .nifti_place import Placement, nifti_grid
from .sanity import check_size
from .unpacking import Source, unpacked

SIZES = {348: "n+1", 540: "n+2"}
"""Bytes of the header of NIfTI-1 and NIfTI-2, and the mark of voxels in the same file."""
# NIfTI-1's header and NIfTI-2's: offset and format of each field that is used.
FIELDS = {
    348: {
        "dim": (40, "8h"), "intent": (68, "h"), "type": (70, "h"), "pixdim": (76, "8f"),
        "start": (108, "f"), "slope": (112, "f"), "intercept": (116, "f"), "units": (123, "B"),
        "qform": (252, "h"), "sform": (254, "h"), "quaternion": (256, "3f"), "offset": (268, "3f"),
        "rows": (280, "12f"), "mark": (344, "4s"),
    },
    540: {
        "mark": (4, "4s"), "type": (12, "h"), "dim": (16, "8q"), "pixdim": (104, "8d"), "start": (168, "q"),
        "slope": (176, "d"), "intercept": (184, "d"), "qform": (344, "i"), "sform": (348, "i"),
        "quaternion": (352, "3d"), "offset": (376, "3d"), "rows": (400, "12d"), "units": (500, "i"),
        "intent": (504, "i"),
    },
}  # fmt: skip
TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
COLOURS, COMPLEX = (128, 2304), (32, 1792, 2048)
SPACE_UNITS = {1: 1000.0, 3: 0.001}
"""Millimetres in a metre and in a micrometre; all else is millimetres."""
TIME_UNITS = {8: 1000.0, 16: 1.0, 24: 0.001}
"""Milliseconds in a second, a millisecond and a microsecond."""
Header = dict[str, tuple[Any, ...]]
"""The fields' values, numbers or bytes as FIELDS says."""
VECTORS = (1004, 1005, 1006, 1007, 1008, 1009, 2003, 2004, 2005)
"""Intents whose fifth dimension is no time: matrices, vectors, quaternions, colours, shapes."""


def is_nifti(first: bytes) -> bool:
    """Whether a file that begins with these bytes, unpacked, is NIfTI."""
    return len(first) >= 4 and any(struct.unpack(order + "i", first[:4])[0] in SIZES for order in "<>")


def read_nifti(path: Path, what: str, warn: Warn) -> ImageFile:
    """The image in a NIfTI file. Raises InputError."""
    with unpacked(path, what) as source:
        header, length, order = _header(source, what)
        sizes, axis = _sizes(header, what)
        _check_meaning(header, axis)
        dtype = np.dtype(order + TYPES[header["type"][0]])
        start = header["start"][0]
        if not length <= start < source.limit:
            raise damaged(what)
        check_size(prod(sizes), f"{what} file")
        grid = nifti_grid(_placement(header), sizes[2::-1], what, warn)
        source.skip(int(start) - length)
        voxels = source.voxels(prod(sizes), dtype).reshape(sizes[::-1])
    if axis > 4:
        warn(f"The frames lie along dimension {axis} of the NIfTI file, not the fourth; taken for time.")
    step, unit = header["pixdim"][axis], header["units"][0] & 0x38
    times = plausible_times(
        np.arange(sizes[3]) * step * TIME_UNITS.get(unit, 1.0), "ms" if unit in TIME_UNITS else None
    )
    return ImageFile(_scaled(voxels, header, what), grid, times)


def _header(source: Source, what: str) -> tuple[Header, int, str]:
    """The header's fields, its length, and its byte order."""
    data = source.stream.read(4)
    for order in "<>":
        length = struct.unpack(order + "i", data)[0] if len(data) == 4 else 0
        if length in SIZES:
            break
    else:
        raise damaged(what)
    data += source.stream.read(length - 4)
    if len(data) < length:
        raise damaged(what)
    header = {
        name: struct.unpack_from(order + form, data, offset)
        for name, (offset, form) in FIELDS[length].items()
    }
    mark = header["mark"][0].rstrip(b"\0").decode("latin-1")
    if mark in ("ni1", "ni2"):
        raise InputError(
            f"The {what} file is the header of a NIfTI pair, .hdr and .img; convert the pair to one .nii "
            "file."
        )
    if not mark.startswith(SIZES[length]):
        raise damaged(what)
    return header, length, order


def _sizes(header: Header, what: str) -> tuple[tuple[int, int, int, int], int]:
    """(X, Y, Z, T) and which dimension, from 1, is that of the frames."""
    count, *sizes = header["dim"]
    if not 1 <= count <= 7 or min(sizes[:count]) < 1:
        raise damaged(what)
    if min(header["pixdim"][1 : 1 + min(count, 3)]) <= 0:
        raise no_spacing(what)
    if count < 3:
        raise wrong_dimensions()
    beyond = [axis for axis in range(4, count + 1) if sizes[axis - 1] > 1]
    if len(beyond) > 1:
        raise wrong_dimensions()
    axis = beyond[0] if beyond else 4
    width, height, depth = sizes[:3]
    return (width, height, depth, sizes[axis - 1] if beyond else 1), axis


def _check_meaning(header: Header, axis: int) -> None:
    """Raise InputError for voxels that are no plain numbers."""
    kind = header["type"][0]
    if kind in COMPLEX:
        raise is_complex()
    if kind in COLOURS or (axis > 4 and header["intent"][0] in VECTORS):
        raise in_colour()
    if kind not in TYPES:
        raise InputError(f"The NIfTI file holds voxels of type {kind}, which is not read; convert them.")


def _placement(header: Header) -> Placement:
    scale = SPACE_UNITS.get(header["units"][0] & 0x07, 1.0)
    rows = np.array(header["rows"], float).reshape(3, 4)
    return Placement(
        spacing=np.array(header["pixdim"][1:4], float) * scale,
        handedness=-1.0 if header["pixdim"][0] < 0 else 1.0,
        sform_code=header["sform"][0],
        sform=rows * scale,
        qform_code=header["qform"][0],
        quaternion=np.array(header["quaternion"], float),
        offset=np.array(header["offset"], float) * scale,
    )


def _scaled(voxels: np.ndarray, header: Header, what: str) -> np.ndarray:
    """The voxels as intensities: slope times number plus intercept, where there is a slope."""
    slope, intercept = header["slope"][0], header["intercept"][0]
    if slope == 0 or (slope == 1 and intercept == 0) or np.isnan(slope):
        return voxels
    if not np.isfinite([slope, intercept]).all():
        raise InputError(f"The scale of the intensities in the {what} file is not a number; export it again.")
    out = voxels.astype(np.float32)
    with np.errstate(over="ignore"):  # infinite intensities are for the checks of the stack to refuse
        out *= np.float32(slope)
        out += np.float32(intercept)
    return out
