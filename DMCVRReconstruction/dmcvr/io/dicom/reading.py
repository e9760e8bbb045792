"""Reading single DICOM files with pydicom, also without preamble or file meta information."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import VR

from .kinds import GE_COMPONENT, GE_CREATOR

_KEYWORDS = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientName",
    "PatientBirthDate", "Modality", "ImageType", "ComplexImageComponent", "BurnedInAnnotation",
    "SeriesDescription", "SeriesNumber", "SeriesDate", "SeriesTime", "AcquisitionNumber",
    "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "ContentDate", "ContentTime",
    "InstanceNumber", "TemporalPositionIdentifier", "TemporalPositionIndex", "TriggerTime", "EchoTime",
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PixelSpacing", "SliceThickness",
    "ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept", "NumberOfFrames",
    "FrameIncrementPointer", "FrameTime", "FrameTimeVector", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
TAGS = [*(Tag(keyword) for keyword in _KEYWORDS), GE_CREATOR, GE_COMPONENT]
"""What is read besides the pixels."""
# What pydicom raises for damaged or unsupported files, depending on where in them it stumbles.
FAULTS = (
    OSError, EOFError, ValueError, TypeError, AttributeError, KeyError, IndexError, NotImplementedError,
    RecursionError, BytesLengthException, InvalidDicomError, struct.error, zlib.error,
)  # fmt: skip
PREAMBLE = 128
UNPACKED, SMALL, BLOCK = 64, 1 << 24, 1 << 20
"""Bytes that one byte of a deflated data set can stand for, what it may hold at any rate, and how many bytes
are unpacked at a time to count them. Images of MR are packed to a half or a third.
"""
_VRS = {vr.value.encode() for vr in VR if len(vr.value) == 2}


class DamagedError(ValueError):
    """A file that cannot be read. certain: whether it is DICOM beyond doubt."""

    def __init__(self, certain: bool):
        super().__init__("damaged DICOM file")
        self.certain = certain


def read_tags(path: Path) -> Dataset | None:
    """The TAGS of a DICOM file; None where the file is not DICOM.

    Raises OSError where the file cannot be opened, DamagedError where it cannot be read.
    """
    with BoundedFile(path) as file:
        start = file.read(PREAMBLE + 8)
        if not _begins_like_dicom(start, file.length):
            return None
        file.seek(0)
        marked = _is_marked(start)
        try:
            with silence():
                dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS, force=not marked)
                for _ in dataset.iterall():  # pydicom reads values when they are asked for: here
                    pass
                return dataset
        except FAULTS as error:
            raise DamagedError(marked) from error


def is_image(dataset: Dataset) -> bool:
    """Whether the object's class is one of images, or none is named; it is none for reports and DICOMDIR."""
    uid = str(dataset.get("SOPClassUID") or _class_in_meta(dataset))
    return not uid or "Image Storage" in UID(uid).name


def _class_in_meta(dataset: Dataset) -> str:
    """The class as the meta information names it, "" where it does not or is damaged."""
    try:
        with silence():
            return str(getattr(dataset, "file_meta", Dataset()).get("MediaStorageSOPClassUID") or "")
    except FAULTS:
        return ""


def read_all(path: Path) -> FileDataset:
    """A DICOM file with its pixels; its transfer syntax is guessed where it does not name one.

    Raises one of FAULTS where it is damaged.
    """
    with BoundedFile(path) as file:
        dataset = pydicom.dcmread(file, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return dataset


def is_dicom(path: Path) -> bool:
    """Whether a file may be read and begins like DICOM, with a preamble or at once with an element."""
    try:
        with BoundedFile(path) as file:
            return _begins_like_dicom(file.read(PREAMBLE + 8), file.length)
    except OSError:
        return False


def _is_marked(start: bytes) -> bool:
    return start[PREAMBLE : PREAMBLE + 4] == b"DICM"


def _begins_like_dicom(start: bytes, length: int) -> bool:
    """Whether there is the preamble, or an element of group 0002 or 0008 at once."""
    if _is_marked(start):
        return True
    if len(start) < 8:
        return False
    if start[4:6] in _VRS:
        return struct.unpack("<H", start[:2])[0] in (2, 8) or struct.unpack(">H", start[:2])[0] in (2, 8)
    group, element, size = struct.unpack("<HHI", start[:8])
    return bool(group == 8 and element < 0x3000 and size % 2 == 0 and size < length)


class BoundedFile(io.BufferedReader):
    """A file that is asked for no more bytes than it holds, whatever lengths are written in it: Python takes
    the memory for all that is asked for. Nor is a deflated data set unpacked that would not end.
    """

    def __init__(self, path: Path):
        super().__init__(io.FileIO(str(path)))
        self.length = path.stat().st_size

    def read(self, size: int | None = -1) -> bytes:
        """At most ``size`` bytes; all that are left where it is None or negative."""
        left = max(self.length - self.tell(), 0)
        if size is not None and size >= 0:
            return super().read(min(size, left))
        packed = super().read(left)  # pydicom asks for all there is to unpack it
        unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        unpacked, rest = 0, packed
        while rest and not unpacking.eof:
            unpacked += len(unpacking.decompress(rest, BLOCK))
            rest = unpacking.unconsumed_tail
            if unpacked > max(UNPACKED * len(packed), SMALL):
                raise ValueError("unpacks to more than is read")
        return packed


@contextmanager
def silence() -> Iterator[None]:
    """Without pydicom's warnings: they quote the values they complain of, which may identify the patient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
