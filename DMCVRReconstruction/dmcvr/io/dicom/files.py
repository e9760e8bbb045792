"""What is needed of single DICOM files: where each image lies, when it was taken, and its pixels.

An enhanced (multi-frame) object counts as one `Header` a frame. Positions are DICOM's own, LPS in mm.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import RLELossless

from ...core.errors import InputError
from ...core.geometry import Plane
from ...system.quiet import quiet
from ..sanity import check_size

TAGS = [
    "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientName",
    "PatientBirthDate", "Modality", "ImageType", "SeriesDescription", "SeriesNumber", "SeriesDate",
    "SeriesTime", "AcquisitionDate", "AcquisitionTime", "InstanceNumber", "TriggerTime", "Rows", "Columns",
    "SamplesPerPixel", "PhotometricInterpretation", "PixelSpacing", "ImagePositionPatient",
    "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept", "NumberOfFrames",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
# What pydicom raises for damaged or unsupported files, depending on where in them it stumbles.
_FAULTS = (
    OSError, EOFError, ValueError, TypeError, AttributeError, KeyError, NotImplementedError,
    BytesLengthException, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Header:
    """One greyscale image with a place in space.

    path, frame: the file, and the index in it (None for a single-frame object).
    plane: LPS mm.
    trigger: ms after the R wave, or None.
    order: instance number, then acquisition time: sorts images where trigger times do not.
    newness: date, time and number of the series; larger is newer.
    rescale: slope and intercept from stored to real values.
    subject: (ID, name, birth date), "" where absent; never shown.
    """

    path: Path
    frame: int | None
    plane: Plane
    trigger: float | None
    order: tuple[float, str]
    series: str
    newness: tuple[str, str, float]
    rescale: tuple[float, float]
    description: str
    image_type: tuple[str, ...]
    study: str
    subject: tuple[str, str, str]


def read_headers(folder: Path) -> list[Header]:
    """The headers of all greyscale images with a place in space in ``folder`` and below, pixels unread.

    Files that are not DICOM, directories (DICOMDIR), objects without pixels and images without position or
    orientation are passed over, and copies of one object taken once. Raises InputError for a damaged DICOM
    file, and where nothing usable remains.
    """
    headers, seen, modalities, colour = [], set(), [], 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        dataset = _read(path)
        if dataset is None or "Rows" not in dataset:
            continue
        name = _text(dataset, "SOPInstanceUID") or path
        if name in seen:
            continue
        seen.add(name)
        modalities.append(_text(dataset, "Modality"))
        grey = "MONOCHROME" in (_text(dataset, "PhotometricInterpretation") or "MONOCHROME")
        if not grey or dataset.get("SamplesPerPixel", 1) != 1:
            colour += 1
        elif modalities[-1] in ("MR", ""):
            headers += _headers(path, dataset)
    if headers:
        return headers
    if not modalities:
        raise InputError("The folder holds no DICOM images; give the folder with the cine MR images.")
    if colour == len(modalities):
        raise InputError("The DICOM images are in colour; give the greyscale cine images themselves.")
    if not {"MR", ""} & set(modalities):
        raise InputError("None of the DICOM images is from MR; give the cine MR images of the examination.")
    raise InputError(
        "None of the DICOM images says where it lies in the patient and how large its pixels are; export the "
        "original images, not screenshots."
    )


def read_pixels(headers: list[Header]) -> np.ndarray:
    """(N, H, W) float32, rescaled intensities of ``headers``. Raises InputError where undecodable."""
    shape = (len(headers), *headers[0].plane.shape)
    check_size(prod(shape))
    out, by_path = None, {}
    for index, header in enumerate(headers):
        by_path.setdefault(header.path, []).append(index)
    for path, indices in by_path.items():
        images, rescaled = _decode(path)
        for index in indices:
            header = headers[index]
            frame = header.frame or 0
            if frame >= len(images) or images.shape[1:] != header.plane.shape:
                raise InputError(
                    "A DICOM image has another size than its header says; export the study again."
                )
            if out is None:  # not before a file has shown that its size is no mere claim
                out = np.empty(shape, np.float32)
            slope, intercept = (1.0, 0.0) if rescaled else header.rescale
            with np.errstate(over="ignore", invalid="ignore"):  # infinity is refused later, in words
                out[index] = images[frame] * np.float32(slope) + np.float32(intercept)
    return out


def _read(path: Path) -> Dataset | None:
    """The tags of a DICOM file; None where the file is not DICOM."""
    try:
        with _silence():
            dataset = pydicom.dcmread(_File(path), stop_before_pixels=True, specific_tags=TAGS)
            for _ in dataset.iterall():  # pydicom reads values when they are asked for: here
                pass
            return dataset
    except InvalidDicomError:
        return None
    except _FAULTS as error:
        raise InputError("A DICOM file in the folder is damaged; export the study again.") from error


def _decode(path: Path) -> tuple[np.ndarray, bool]:
    """Pixels of a file, (frames, H, W), and whether they are already rescaled.

    JPEG is decoded by SimpleITK's GDCM, since pydicom does not know it by itself; run lengths by pydicom,
    since GDCM fails on those that are longer than the pixels.
    """
    try:
        with _silence():
            dataset = pydicom.dcmread(_File(path))
            syntax = dataset.file_meta.TransferSyntaxUID
            if syntax == RLELossless or not syntax.is_encapsulated:
                array = dataset.pixel_array
                return array.reshape(-1, *array.shape[-2:]), False
            with quiet():
                return sitk.GetArrayFromImage(sitk.ReadImage(str(path), imageIO="GDCMImageIO")), True
    except (RuntimeError, *_FAULTS) as error:
        raise InputError(
            "The pixels of a DICOM file are damaged or compressed in an unknown way; export the study "
            "uncompressed."
        ) from error


class _File(io.BufferedReader):
    """A file that is asked for no more bytes than it holds, whatever lengths are written in it: Python takes
    the memory for all that is asked for.
    """

    def __init__(self, path: Path):
        super().__init__(io.FileIO(str(path)))
        self._length = path.stat().st_size

    def read(self, size: int | None = -1) -> bytes:
        left = max(self._length - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left))


@contextmanager
def _silence() -> Iterator[None]:
    """Without pydicom's warnings: they quote the values they complain of, which may identify the patient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _headers(path: Path, dataset: Dataset) -> list[Header]:
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        return [h for h in [_header(path, None, dataset, [dataset])] if h is not None]
    shared = dataset.get("SharedFunctionalGroupsSequence") or [Dataset()]
    groups = dataset.PerFrameFunctionalGroupsSequence
    found = [
        _header(path, k, dataset, [_flat(group), _flat(shared[0]), dataset]) for k, group in enumerate(groups)
    ]
    return [h for h in found if h is not None]


def _flat(group: Dataset) -> dict:
    """The attributes of all functional groups of a frame together, by keyword."""
    return {
        element.keyword: element.value
        for macro in group
        if macro.VR == "SQ"
        for item in macro.value
        for element in item
    }


def _header(path: Path, frame: int | None, dataset: Dataset, levels: list) -> Header | None:
    """None without a place in space. ``levels``: where an attribute of the frame may be, the first wins."""
    origin, cosines = (
        _numbers(levels, "ImagePositionPatient", 3),
        _numbers(levels, "ImageOrientationPatient", 6),
    )
    spacing = _numbers(levels, "PixelSpacing", 2)
    rows, columns = _numbers([dataset], "Rows", 1), _numbers([dataset], "Columns", 1)
    if any(item is None for item in (origin, cosines, spacing, rows, columns)):
        return None
    shape = (int(rows[0]), int(columns[0]))
    plane = Plane(origin, cosines[:3] * spacing[1], cosines[3:] * spacing[0], shape)
    if not np.linalg.norm(np.cross(plane.step_x, plane.step_y)) > 0:
        return None
    trigger = _numbers(levels, "TriggerTime", 1)
    if trigger is None:
        trigger = _numbers(levels, "NominalCardiacTriggerDelayTime", 1)
    number = _numbers(levels, "TemporalPositionIndex", 1) if frame is not None else None
    if number is None:
        number = _numbers([dataset], "InstanceNumber", 1) if frame is None else [frame]
    slope, intercept = _numbers(levels, "RescaleSlope", 1), _numbers(levels, "RescaleIntercept", 1)
    series_number = _numbers([dataset], "SeriesNumber", 1)
    date, time = (_text(dataset, f"Series{w}") or _text(dataset, f"Acquisition{w}") for w in ("Date", "Time"))
    return Header(
        path=path,
        frame=frame,
        plane=plane,
        trigger=None if trigger is None else float(trigger[0]),
        order=(0.0 if number is None else float(number[0]), _text(dataset, "AcquisitionTime")),
        series=_text(dataset, "SeriesInstanceUID"),
        newness=(date, time, 0.0 if series_number is None else float(series_number[0])),
        rescale=(
            1.0 if slope is None else float(slope[0]),
            0.0 if intercept is None else float(intercept[0]),
        ),
        description=_text(dataset, "SeriesDescription"),
        image_type=tuple(
            str(part).upper() for part in _value(levels, "FrameType") or _value(levels, "ImageType") or ()
        ),
        study=_text(dataset, "StudyInstanceUID"),
        subject=tuple(_text(dataset, tag) for tag in ("PatientID", "PatientName", "PatientBirthDate")),
    )


def _value(levels: list, keyword: str):
    return next((level.get(keyword) for level in levels if level.get(keyword) is not None), None)


def _numbers(levels: list, keyword: str, count: int) -> np.ndarray | None:
    """(count,) finite numbers, None where the attribute is absent or malformed."""
    try:
        numbers = np.atleast_1d(np.array(_value(levels, keyword), float))
    except (TypeError, ValueError):
        return None
    return numbers if numbers.shape == (count,) and np.isfinite(numbers).all() else None


def _text(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip()
