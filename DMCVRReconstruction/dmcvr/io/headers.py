"""What is looked at in image files before ITK reads them: what it would read without a word, and what would
bring it down.

ITK takes missing voxels and a zero spacing of a NIfTI file as they are and asks for as much memory as any
header claims. Its NRRD reader writes past the end of a buffer when it complains of a long line, its MetaImage
reader where there are more dimensions, or longer lists, than it expects.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..core.errors import InputError
from .sanity import check_size

NIFTI, NRRD, META = (".nii", ".nii.gz"), (".nrrd", ".nhdr"), (".mha", ".mhd")
SUFFIXES = (*NIFTI, *NRRD, *META)
DETACHED = (".nhdr", ".mhd")
"""Their voxels lie in another file."""
PACKED = 1100
"""Bytes that one byte can stand for: deflate, the tightest packing that these formats know, reaches 1032."""
HEADER = 1 << 20
"""Bytes of the longest header of an NRRD or MetaImage file."""
NRRD_FIELD = 400
"""Bytes of the longest line that states a field of an NRRD file; its key/value pairs may be longer."""
META_KEY, META_VALUE, META_WORDS, META_DIMENSIONS = 100, 16000, 100, 10
"""The same for the two sides of a MetaImage file's lines, the most numbers in one and the most dimensions."""
META_LISTS = (
    "DimSize", "ElementSpacing", "ElementSize", "TransformMatrix", "Rotation", "Orientation", "Offset",
    "Origin", "Position", "CenterOfRotation", "Color",
)  # fmt: skip


def check_file(path: Path, what: str) -> None:
    """Raise InputError for an image file that must not be handed to ITK at all."""
    if not path.is_file():  # a device or a pipe, which may have no end
        raise damaged(what)
    name = path.name.lower()
    if name.endswith(NIFTI):
        _check_nifti(path, what)
    if name.endswith(NRRD):
        _check_nrrd(path, what)
    if name.endswith(META):
        _check_meta(path, what)


def check_claim(path: Path, reader: sitk.ImageFileReader, what: str) -> None:
    """Raise InputError where there is no memory, or no such amount of voxels, for what the header claims.

    reader: has read the header.
    """
    voxels = prod(reader.GetSize()) * reader.GetNumberOfComponents()
    check_size(voxels, f"{what} file")
    if not path.name.lower().endswith(DETACHED) and voxels > PACKED * path.stat().st_size:
        raise damaged(what)


def damaged(what: str) -> InputError:
    """What is said of a file that cannot be read. ``what`` it is stands for its name."""
    return InputError(f"The {what} file cannot be read; it is damaged, incomplete or of another format.")


def no_spacing(what: str) -> InputError:
    """What is said of a file whose voxels have no size."""
    return InputError(
        f"The voxel spacing in the {what} file is zero or negative; correct it, or export it again."
    )


def _check_nifti(path: Path, what: str) -> None:
    packed = path.name.lower().endswith(".gz")
    try:
        with (gzip.open if packed else open)(path, "rb") as file:
            header = file.read(348)
            if len(header) < 348:
                raise damaged(what)
            order = "<" if header[:4] == struct.pack("<i", 348) else ">"
            if struct.unpack(order + "i", header[:4])[0] != 348:
                return  # NIfTI-2 or no NIfTI at all, for ITK to judge
            count, *sizes = struct.unpack(order + "8h", header[40:56])
            bits = struct.unpack(order + "h", header[72:74])[0]
            spacings = struct.unpack(order + "8f", header[76:108])
            start = struct.unpack(order + "f", header[108:112])[0]
            voxels = np.prod(sizes[: max(count, 0)], dtype=float)
            check_size(voxels, f"{what} file")
            needed = start + voxels * bits / 8
            length = len(header) if packed else path.stat().st_size
            # Somewhat beyond, for the checksum at the end; a packed file may go on without end.
            while packed and length < needed + (1 << 20) and (block := file.read(1 << 20)):
                length += len(block)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(what) from error
    if not 1 <= count <= 7 or not length >= needed:
        raise damaged(what)
    if min(spacings[1 : 1 + min(count, 3)]) <= 0:
        raise no_spacing(what)


def _check_nrrd(path: Path, what: str) -> None:
    start = _start(path, what)
    for line in start.split(b"\n"):
        if not line.strip():
            return
        colon = line.find(b":")
        is_pair = colon >= 0 and line[colon : colon + 2] == b":="
        if len(line) > NRRD_FIELD and not is_pair and not line.startswith(b"#"):
            raise damaged(what)
    if len(start) == HEADER:
        raise damaged(what)


def _check_meta(path: Path, what: str) -> None:
    fields = {}
    for line in _start(path, what).decode("latin-1").splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or key in fields or len(key) > META_KEY or len(value) > META_VALUE:
            raise damaged(what)
        fields[key] = value
        if key == "ElementDataFile":
            break
    if any(len(fields.get(key, "").split()) > META_WORDS for key in META_LISTS):
        raise damaged(what)
    detached = path.name.lower().endswith(DETACHED)
    sizes = {"NDims": META_DIMENSIONS, "CompressedDataSize": 1 << 40 if detached else path.stat().st_size}
    for key, most in sizes.items():
        number = fields.get(key, "0")
        if not (number.isascii() and number.isdigit() and int(number[:20]) <= most):
            raise damaged(what)
    # Of more than one file the names are made by printing numbers into a pattern, which may be any.
    data = fields.get("ElementDataFile", "")
    if "%" in data or not (detached or data.upper() == "LOCAL"):
        raise damaged(what)


def _start(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEADER)
    except OSError as error:
        raise damaged(what) from error
