"""Image files told apart by what they hold: a name may lie."""

from __future__ import annotations

import os
from pathlib import Path

from ..core.errors import InputError
from .image_file import ImageFile, Warn, damaged
from .meta_image import read_meta_image
from .unpacking import packing_of, unpacked

NIFTI, NRRD, META = (".nii", ".nii.gz", ".nii.bz2"), (".nrrd", ".nhdr"), (".mha", ".mhd")
SUFFIXES = (*NIFTI, *NRRD, *META)
NIFTI_STARTS = [size.to_bytes(4, order) for size in (348, 540) for order in ("little", "big")]
"""The size of NIfTI-1's header, and of NIfTI-2's, in either byte order."""
META_KEYS = (b"ObjectType", b"NDims", b"Comment", b"ObjectSubType", b"TransformType", b"Name", b"ID")
FOREIGN = {
    b"PK\x03\x04": "a zip archive", b"\x89HDF": "an HDF5 or MINC file", b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive", b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a rar archive",
    b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture", b"%PDF": "a PDF document",
}  # fmt: skip
"""What other files begin with."""
DICOM, DICOM_AT = b"DICM", 128


def read_image_file(path: Path, what: str, warn: Warn) -> ImageFile:
    """The image that the file ``path`` holds. Its name must have one of SUFFIXES, but need not be true.

    what: "image" or "label"; it stands in messages for the name, which may be a patient's. Raises InputError.
    """
    if not os.path.exists(path):  # where Path.exists raises for a name that is too long
        raise InputError(f"The {what} file or folder does not exist; check the path.")
    if not path.name.lower().endswith(SUFFIXES):
        raise InputError(
            f"The {what} file is none of {', '.join(SUFFIXES)}; convert it, or give a folder of DICOM files."
        )
    with unpacked(path, what) as source:
        first = source.stream.read(256)
    if first[:4] in NIFTI_STARTS:
        from .nifti import read_nifti  # nibabel, which other files do not need

        return read_nifti(path, what, warn)
    key, equals, _ = first.partition(b"=")
    is_meta_image = bool(equals) and key.strip() in META_KEYS
    with unpacked(path, what, "") as source:
        packed = packing_of(source.stream.read(3))
    if packed:
        if first.startswith(b"NRRD") or is_meta_image:
            raise InputError(f"The {what} file is packed with {packed} as a whole; unpack it first.")
        raise damaged(what)
    if first.startswith(b"NRRD"):
        from .nrrd_reader import read_nrrd  # pynrrd

        return read_nrrd(path, what, warn)
    if is_meta_image:
        return read_meta_image(path, what)
    if first[DICOM_AT : DICOM_AT + len(DICOM)] == DICOM:
        raise InputError(f"The {what} file is a DICOM file under another name; give its folder.")
    for magic, kind in FOREIGN.items():
        if first.startswith(magic):
            raise InputError(f"The {what} file cannot be read: it is {kind} under another name; convert it.")
    raise damaged(what)
