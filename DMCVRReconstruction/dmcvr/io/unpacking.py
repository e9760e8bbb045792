"""The bytes of a file, unpacked if what it holds is packed, whatever it is called; bounded before they are
held.
"""

from __future__ import annotations

import bz2
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..core.errors import InputError
from .image_file import damaged

PACKINGS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2"}
"""By the first bytes of a packed file."""
PACKED = {"": 1, "gzip": 1100, "bzip2": 50_000}
"""Bytes that one byte can stand for: deflate reaches 1032, bzip2 about 46,000 with nothing but zeros."""
BLOCK = 1 << 20


@dataclass(frozen=True)
class Source:
    """Unpacked bytes.

    stream: of them, from the start. limit: more than can come out of it. what: the file is, for messages.
    """

    stream: BinaryIO
    limit: int
    what: str

    def voxels(self, count: int, dtype: np.dtype) -> np.ndarray:
        """(count,) voxels of ``dtype`` that come next, in the machine's byte order.

        Raises InputError where there are fewer, or where the packing's checksum at the end does not hold.
        """
        size = count * dtype.itemsize
        if size > self.limit:  # a mere claim, which must take no memory
            raise damaged(self.what)
        out = np.empty(count, dtype)
        view = out.view(np.uint8).data
        filled = 0
        while filled < size:
            read = self.stream.readinto(view[filled : filled + BLOCK])  # type: ignore[attr-defined]
            if not read:
                raise damaged(self.what)
            filled += read
        self.stream.read(BLOCK)  # somewhat beyond, for the checksum; a packed file may go on without end
        return out.astype(dtype.newbyteorder("="), copy=False)

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes. Raises InputError where there are fewer, or for a negative count."""
        if not 0 <= count <= self.limit:
            raise damaged(self.what)
        while count:
            block = self.stream.read(min(count, BLOCK))
            if not block:
                raise damaged(self.what)
            count -= len(block)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Raise InputError where reading or unpacking fails within the block."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(what) from error


@contextmanager
def unpacked(path: Path, what: str, packing: str | None = None, start: int = 0) -> Iterator[Source]:
    """What ``path`` holds from byte ``start`` on.

    packing: a key of PACKED, None to go by the first bytes. Raises InputError for what is no file, or cannot
    be read or unpacked within the block.
    """
    if not os.path.isfile(path):  # a device or a pipe, which may have no end
        raise damaged(what)
    with reading(what), path.open("rb") as file:
        file.seek(start)
        if packing is None:
            packing = packing_of(file.read(3))
            file.seek(start)
        limit = PACKED[packing] * max(path.stat().st_size - start, 0)
        if packing == "gzip":
            with gzip.GzipFile(fileobj=file) as stream:
                yield Source(stream, limit, what)  # type: ignore[arg-type]
        elif packing == "bzip2":
            with bz2.BZ2File(file) as stream:
                yield Source(stream, limit, what)  # type: ignore[arg-type]
        else:
            yield Source(file, limit, what)


def voxel_file(path: Path, name: str, what: str) -> Path:
    """The file that the header in ``path`` names for its voxels. Raises InputError for several, or for one
    outside the header's folder, which no one means to hand over with it.
    """
    if name.split()[:1] == ["LIST"] or "%" in name:
        raise InputError(f"The voxels of the {what} file lie in several files; save it as one.")
    folder = os.path.abspath(path.parent)
    place = Path(os.path.abspath(os.path.join(folder, name)))
    if not place.is_relative_to(folder):
        raise InputError(f"The voxels of the {what} file lie outside its folder; put them beside it.")
    return place


def packing_of(first: bytes) -> str:
    """A key of PACKED."""
    return next((name for magic, name in PACKINGS.items() if first.startswith(magic)), "")
