"""Arrays that a whole cine may be too large for: beyond a size they lie in a file without a name."""

from __future__ import annotations

import contextlib
import errno
import math
import mmap
import os
import tempfile

import numpy as np

LARGE = 2**27
"""Bytes from which on an array lies on disk."""
BLOCK = 2**22


def empty(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """An array to be filled, in memory if it is small or no file can be made for it.

    A file in the folder for temporary files (``TMPDIR``) holds a large one; it serves its purpose where that
    folder is on a disk. It has no name where the system allows that (none but this process can open it then),
    and is gone with the array, or with the process.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size >= LARGE:
        with contextlib.suppress(OSError), tempfile.TemporaryFile() as file:
            _reserve(file, size)
            return np.memmap(file, dtype, "r+", shape=shape)
    return np.empty(shape, dtype)


def release(array: np.ndarray) -> None:
    """Let go of the memory that holds what was written to an `empty` array, if the disk holds it as well."""
    if isinstance(array.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        array.base.madvise(mmap.MADV_DONTNEED)


def _reserve(file, size: int) -> None:
    """Take ``size`` bytes of the disk now: a write to a mapped file that finds it full ends the process."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), 0, size)
            return
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # a file system that cannot
                raise
    block = bytes(BLOCK)
    for start in range(0, size, BLOCK):
        file.write(block[: size - start])
    file.flush()
