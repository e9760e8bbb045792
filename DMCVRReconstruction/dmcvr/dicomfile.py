"""What is needed of single DICOM files: where each image lies, when it was taken, and its pixels.

An enhanced (multi-frame) object counts as one `Header` a frame. Positions are DICOM's own, LPS in mm.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from .errors import InputError
from .geometry import Plane
from .quiet import quiet

TAGS = [
    "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientName", "PatientBirthDate",
    "ImageType", "SeriesDescription", "SeriesNumber", "SeriesDate", "SeriesTime", "AcquisitionDate",
    "AcquisitionTime", "InstanceNumber", "TriggerTime", "Rows", "Columns", "SamplesPerPixel",
    "PhotometricInterpretation", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient",
    "RescaleSlope", "RescaleIntercept", "NumberOfFrames", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
# What pydicom raises for damaged or unsupported files, depending on where in them it stumbles.
_FAULTS = (OSError, EOFError, ValueError, AttributeError, KeyError, NotImplementedError)


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
    headers, seen, pixels, colour = [], set(), 0, 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        dataset = _read(path)
        if dataset is None or "Rows" not in dataset or dataset.get("SOPInstanceUID") in seen:
            continue
        seen.add(dataset.get("SOPInstanceUID", path))
        pixels += 1
        if dataset.get("SamplesPerPixel", 1) != 1 or "MONOCHROME" not in dataset.get(
            "PhotometricInterpretation", ""
        ):
            colour += 1
            continue
        with _silence():
            headers += _headers(path, dataset)
    if headers:
        return headers
    if not pixels:
        raise InputError("The folder holds no DICOM images; give the folder with the cine MR images.")
    if colour == pixels:
        raise InputError("The DICOM images are in colour; give the greyscale cine images themselves.")
    raise InputError(
        "None of the DICOM images says where it lies in the patient; export the original images, not "
        "screenshots."
    )


def read_pixels(headers: list[Header]) -> np.ndarray:
    """(N, H, W) float32, rescaled intensities of ``headers``. Raises InputError where undecodable."""
    out = np.empty((len(headers), *headers[0].plane.shape), np.float32)
    by_path = {}
    for index, header in enumerate(headers):
        by_path.setdefault(header.path, []).append(index)
    for path, indices in by_path.items():
        array, rescaled = _decode(path)
        for index in indices:
            header = headers[index]
            image = array if header.frame is None else array[header.frame]
            if image.shape != header.plane.shape:
                raise InputError(
                    "A DICOM image has another size than its header says; export the study again."
                )
            slope, intercept = (1.0, 0.0) if rescaled else header.rescale
            out[index] = image * np.float32(slope) + np.float32(intercept)
    return out


def _read(path: Path) -> Dataset | None:
    """The tags of a DICOM file; None where the file is not DICOM."""
    try:
        with _silence():
            return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=TAGS)
    except InvalidDicomError:
        return None
    except _FAULTS as error:
        raise InputError("A DICOM file in the folder is damaged; export the study again.") from error


def _decode(path: Path) -> tuple[np.ndarray, bool]:
    """Pixels of a file, (H, W) or (frames, H, W), and whether they are already rescaled.

    Compressed pixels are decoded by SimpleITK's GDCM, which knows more methods than pydicom does by itself.
    """
    try:
        with _silence():
            dataset = pydicom.dcmread(path)
            if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
                return dataset.pixel_array, False
            with quiet():
                array = sitk.GetArrayFromImage(sitk.ReadImage(str(path), imageIO="GDCMImageIO"))
            return (array if "NumberOfFrames" in dataset else array[0]), True
    except (RuntimeError, *_FAULTS) as error:
        raise InputError(
            "The pixels of a DICOM file are damaged or compressed in an unknown way; export the study "
            "uncompressed."
        ) from error


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
    if origin is None or cosines is None or spacing is None:
        return None
    plane = Plane(origin, cosines[:3] * spacing[1], cosines[3:] * spacing[0], (dataset.Rows, dataset.Columns))
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
