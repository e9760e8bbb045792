"""Reading NRRD files, Slicer's sequences and segmentations among them, with voxels in the same file or in one
beside it.

pynrrd reads the header. The voxels are read here: pynrrd unpacks whatever there is (1 GB for a gzip file of
0.5 MB whose header claims 2 kB), refuses a byte too many, and does not know ``hex``. ITK takes a ``time``
axis for one in space, does not know bzip2, and writes past the end of a buffer when it complains of a long
line.
"""

from __future__ import annotations

import io
import os
from contextlib import AbstractContextManager
from math import prod
from pathlib import Path

import nrrd
import numpy as np

from ..core.errors import InputError
from ..core.frame_times import plausible_times, times_from_index
from .image_file import ImageFile, Warn, damaged, lattice
from .nrrd_header import Axes, Header, find_axes, read_header
from .sanity import check_size
from .unpacking import Source, unpacked, voxel_file

PACKINGS = {"raw": "", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
WRITTEN = ("ascii", "text", "txt", "hex")
"""Encodings of voxels as text."""
LONGEST_LINE = 1 << 20


def read_nrrd(path: Path, what: str, warn: Warn) -> ImageFile:
    """The image in an NRRD file. Raises InputError."""
    header = read_header(path, what)
    axes = find_axes(header, what, warn)
    count = prod(axes.sizes)
    check_size(count, f"{what} file")
    dtype = _type(header, what)
    encoding = header.fields.get("encoding", "")
    with _data(path, header, encoding, what) as source:
        if encoding in WRITTEN:
            flat = _as_text(source, count, dtype, encoding, what)
        else:
            _skip(source, header, count * dtype.itemsize, encoding, what)
            flat = source.voxels(count, dtype)
    voxels = _ordered(flat, axes)
    grid = lattice(axes.origin, axes.steps, voxels.shape[1:], what)
    return ImageFile(voxels, grid, _times(header, axes), header.pairs)


def _ordered(flat: np.ndarray, axes: Axes) -> np.ndarray:
    """Voxels as (T, Z, Y, X)."""
    count = len(axes.sizes)
    x, y, z = axes.spatial
    first = [axis for axis in range(count) if axis not in axes.spatial]
    order = [count - 1 - axis for axis in (*first, z, y, x)]
    voxels = flat.reshape(axes.sizes[::-1]).transpose(order)
    return voxels.reshape(-1, *voxels.shape[-3:])


def _times(header: Header, axes: Axes) -> np.ndarray | None:
    """Of the frames: the index of a Slicer sequence, or the spacing of the axis."""
    if axes.frames is None:
        return None
    count = axes.sizes[axes.frames]
    if text := header.pairs.get(f"axis {axes.frames} index values"):
        return times_from_index(text.split(), count, axes.frame_unit)
    if axes.frame_step is None:
        return None
    return plausible_times(np.arange(count) * axes.frame_step, axes.frame_unit)


def _type(header: Header, what: str) -> np.dtype:
    """Found by having pynrrd read a single voxel of zeros."""
    fields = {"encoding": "raw", "dimension": 1, "sizes": np.ones(1, int)}
    fields |= {"type": header.fields.get("type"), "endian": header.fields.get("endian", "little")}
    try:
        voxel: np.ndarray = nrrd.read_data(fields, io.BytesIO(bytes(8)))
    except (nrrd.NRRDError, KeyError, ValueError) as error:
        raise damaged(what) from error
    return voxel.dtype


def _data(path: Path, header: Header, encoding: str, what: str) -> AbstractContextManager[Source]:
    """Where the voxels are read from."""
    if encoding not in PACKINGS and encoding not in WRITTEN:
        raise InputError(
            f"The voxels of the {what} file are stored in an encoding that is not read; save it as raw, gzip "
            "or bzip2."
        )
    name = header.fields.get("data file", header.fields.get("datafile"))
    place, start = (path, header.length) if name is None else (voxel_file(path, name, what), 0)
    return unpacked(place, what, PACKINGS.get(encoding, ""), start)


def _skip(source: Source, header: Header, size: int, encoding: str, what: str) -> None:
    """Pass over the lines and bytes that the header says come before the voxels."""
    lines, count = (
        header.fields.get(name, header.fields.get(name.replace(" ", ""), 0))
        for name in ("line skip", "byte skip")
    )
    if lines < 0:
        raise damaged(what)
    for _ in range(lines):
        if not source.stream.readline(LONGEST_LINE).endswith(b"\n"):
            raise damaged(what)
    if encoding == "raw" and count == -1:  # the voxels are the end of the file
        here = source.stream.tell()
        count = source.stream.seek(0, os.SEEK_END) - size - here
        source.stream.seek(here)
    source.skip(count)


def _as_text(source: Source, count: int, dtype: np.dtype, encoding: str, what: str) -> np.ndarray:
    """Voxels written as numbers or as hexadecimal digits."""
    if count > source.limit:
        raise damaged(what)
    text = source.stream.read(source.limit)
    try:
        if encoding == "hex":
            size = count * dtype.itemsize
            return np.frombuffer(bytes.fromhex(text.decode("ascii"))[:size], dtype, count)
        return np.array([float(word) for word in text.split(maxsplit=count)[:count]]).reshape(count)
    except ValueError as error:
        raise damaged(what) from error
