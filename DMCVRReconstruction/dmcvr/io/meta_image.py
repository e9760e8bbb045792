"""Reading MetaImage files (.mha, and .mhd with its voxels beside it; itk.org/Wiki/ITK/MetaIO).

Read here and not by ITK, whose reader writes past the end of its buffers where there are more dimensions, or
longer lists, than it expects.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Mapping
from math import prod
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.frame_times import plausible_times
from .image_file import ImageFile, damaged, in_colour, lattice, no_spacing, wrong_dimensions
from .sanity import check_size
from .unpacking import BLOCK, PACKED, reading, unpacked

LONGEST = 1 << 20
"""Bytes of the longest header."""
TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
FIRST_KEYS = ("ObjectType", "NDims", "Comment", "ObjectSubType", "TransformType", "Name", "ID")
MOST_DIMENSIONS = 10


def is_meta_image(first: bytes) -> bool:
    """Whether a file that begins with these bytes is a MetaImage."""
    key, equals, _ = first.partition(b"=")
    return bool(equals) and key.strip().decode("latin-1") in FIRST_KEYS


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
    shape = tuple(int(size) for size in sizes[::-1])
    check_size(prod(shape), f"{what} file")
    *_, depth, height, width = shape
    steps = axes * np.array(spacing[:3])[:, None]
    grid = lattice(np.array(origin[:3]), steps, (depth, height, width), what)
    voxels = _voxels(path, fields, length, prod(shape), what).reshape(-1, *shape[-3:])
    times = plausible_times(np.arange(shape[0]) * spacing[3]) if count == 4 else None
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
    if name.split()[:1] == ["LIST"] or "%" in name:
        raise InputError(f"The voxels of the {what} file lie in several files; save it as one.")
    local = name.upper() == "LOCAL"
    if not local and not path.name.lower().endswith(".mhd"):
        raise damaged(what)
    place = path if local else path.parent / name
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
    size = count * dtype.itemsize
    with unpacked(place, what, "", start) as source:
        if size > source.limit * PACKED["gzip"]:
            raise damaged(what)
        inflate, out, filled = zlib.decompressobj(47), np.empty(size, np.uint8), 0
        while not inflate.eof:
            block = inflate.unconsumed_tail or source.stream.read(BLOCK)
            piece = inflate.decompress(block, BLOCK)
            if (not block and not piece) or filled + len(piece) > size:
                raise damaged(what)
            out[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
            filled += len(piece)
    if filled < size:
        raise damaged(what)
    return out.view(dtype).astype(dtype.newbyteorder("="), copy=False)


def _is_true(fields: Mapping[str, str], name: str) -> bool | None:
    """None where the header does not say."""
    text = fields.get(name, "").lower()
    return None if not text else text[0] in "t1y"
