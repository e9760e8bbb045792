"""Reading MetaImage files (.mha, and .mhd with its voxels beside it; itk.org/Wiki/ITK/MetaIO).

Read here and not by ITK, which hands out what it got when packed voxels are cut short or damaged (of a file
that lost its second half, half the voxels were wrong), ends the process for a name that is not UTF-8, and
writes past the end of its buffers where there are more dimensions, or longer lists, than it expects.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.frame_times import plausible_times
from .image_file import ImageFile, damaged, in_colour, lattice, no_spacing, wrong_dimensions
from .sanity import check_size
from .unpacking import reading, unpacked, voxel_file

LONGEST = 1 << 20
"""Bytes of the longest header."""
TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
MOST_DIMENSIONS = 10


def read_meta_image(path: Path, what: str) -> ImageFile:
    """The image in a MetaImage file. Raises InputError."""
    fields, length = _fields(path, what)
    sizes, spacing = _numbers(fields, ("DimSize",), what), _numbers(fields, ("ElementSpacing",), what)
    count = len(sizes)
    if (
        not 1 <= count <= MOST_DIMENSIONS
        or fields.get("NDims", "").strip() != str(count)
        or not all(1 <= size < 2**40 and size == int(size) for size in sizes)
    ):
        raise damaged(what)
    if count not in (3, 4):
        raise wrong_dimensions()
    spacing = spacing or _numbers(fields, ("ElementSize",), what) or [1.0] * count
    matrix = _numbers(fields, ("TransformMatrix", "Rotation", "Orientation"), what)
    origin = _numbers(fields, ("Offset", "Position", "Origin"), what) or [0.0] * count
    if (len(spacing), len(origin)) != (count, count) or len(matrix) not in (0, count * count):
        raise damaged(what)
    if not min(spacing[:3]) > 0:
        raise no_spacing(what)
    axes = np.array(matrix).reshape(count, count)[:3, :3] if matrix else np.eye(3)
    x, y, z, frames = (*map(int, sizes), 1)[:4]
    check_size(x * y * z * frames, f"{what} file")
    grid = lattice(np.array(origin[:3]), axes * np.array(spacing[:3])[:, None], (z, y, x), what)
    voxels = _voxels(path, fields, length, x * y * z * frames, what).reshape(frames, z, y, x)
    times = plausible_times(np.arange(frames) * spacing[3]) if count == 4 else None
    return ImageFile(voxels, grid, times)


def _fields(path: Path, what: str) -> tuple[dict[str, str], int]:
    """The header's fields, and its length in bytes."""
    with reading(what), path.open("rb") as file:
        start = file.read(LONGEST)
    fields: dict[str, str] = {}
    position = 0
    while position < len(start):
        end = start.find(b"\n", position)
        end = len(start) if end < 0 else end
        key, equals, value = start[position:end].decode("utf-8", "surrogateescape").partition("=")
        position = end + 1
        if not equals or key.strip() in fields:
            raise damaged(what)
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            return fields, position
    raise damaged(what)


def _numbers(fields: Mapping[str, str], names: tuple[str, ...], what: str) -> list[float]:
    """The numbers of the first of the fields that there is; none if there is none."""
    text = next((fields[name] for name in names if name in fields), "")
    try:
        return [float(word) for word in text.split()]
    except ValueError as error:
        raise damaged(what) from error


def _voxels(path: Path, fields: Mapping[str, str], length: int, count: int, what: str) -> np.ndarray:
    """(count,)"""
    kind = fields.get("ElementType", "")
    if fields.get("ElementNumberOfChannels", "1") != "1" or kind.endswith("_ARRAY"):
        raise in_colour()
    if kind not in TYPES:
        raise damaged(what)
    if _is_true(fields, "BinaryData") is False:
        raise InputError(f"The voxels of the {what} file are stored as text; save it in binary form.")
    swapped = _is_true(fields, "BinaryDataByteOrderMSB") or _is_true(fields, "ElementByteOrderMSB")
    dtype = np.dtype((">" if swapped else "<") + TYPES[kind])
    name = fields["ElementDataFile"]
    local = name.upper() == "LOCAL"
    place = path if local else voxel_file(path, name, what)
    if not local and not path.name.lower().endswith(".mhd"):
        raise damaged(what)
    skipped = fields.get("HeaderSize", "0")
    if not re.fullmatch(r"-1|\d{1,12}", skipped, re.ASCII):
        raise damaged(what)
    if not os.path.isfile(place):
        raise damaged(what)
    start = (length if local else 0) + max(int(skipped), 0)
    if _is_true(fields, "CompressedData"):
        return _inflated(place, start, count, dtype, what)
    with reading(what):
        if int(skipped) == -1:  # the voxels are the end of the file
            start = max(place.stat().st_size - count * dtype.itemsize, 0)
    with unpacked(place, what, "", start) as source:
        return source.voxels(count, dtype)


def _inflated(place: Path, start: int, count: int, dtype: np.dtype, what: str) -> np.ndarray:
    """Voxels packed by zlib, which has another frame than gzip's files."""
    with unpacked(place, what, "", start) as source:
        inflate, size = zlib.decompressobj(47), count * dtype.itemsize
        packed = source.stream.read(2 * size + 1024)  # packing adds less than that
        data = inflate.decompress(packed, size + 1)  # one more, for the checksum to be looked at
    if len(data) != size or not inflate.eof:
        raise damaged(what)
    return np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))


def _is_true(fields: Mapping[str, str], name: str) -> bool | None:
    """None where the header does not say."""
    text = fields.get(name, "").lower()
    return None if not text else text[0] in "t1y"
