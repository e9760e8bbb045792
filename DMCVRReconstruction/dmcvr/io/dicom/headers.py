"""The images of a folder of DICOM files: where each lies, when it was taken and what it shows, pixels unread.

An object of several frames counts as one `Header` a frame. Positions are DICOM's own, LPS in mm.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from ...core.errors import InputError
from ...core.geometry import Plane
from ..account import LeftOut
from ..folders import NO_ACCESS, list_files
from . import kinds
from .frames import Frame, frame_count, frames_of
from .reading import DamagedError, is_image, read_tags

NOT_DICOM = "not DICOM"
NOT_READABLE = "begins like DICOM but cannot be read"
NO_IMAGE = "DICOM without an image"
EMPTY = "empty"
NO_PIXELS = "an image without size, perhaps cut short"
COPY = "copy of another file"
NO_PLACE = "does not say where it lies in the patient, or how large its pixels are"
NO_FRAME_PLACES = "several frames in one object that does not say where or when each was taken"
NO_FRAME_GROUP = "frame of an object that says nothing of it"
_UNREAD = (NO_ACCESS, NOT_READABLE, EMPTY, NO_PIXELS, NO_PLACE, NO_FRAME_PLACES, NO_FRAME_GROUP)
"""Of these it is unknown whether they are slices of the stack."""


@dataclass(frozen=True)
class Header:
    """One image with a place in space.

    path, frame: the file, and the index in it (None for an object of a single image).
    plane: LPS mm. thickness: mm, or None.
    temporal: its number among the time points. trigger: ms after the R wave. number: instance number, or the
        index of the frame. Each None where unknown.
    acquired, taken: date and time of acquisition and of content, "" where unknown; larger is later.
    acquisition: what tells acquisitions within a series apart: image type, acquisition number, echo time.
    newness: date, time and number of the series; larger is newer.
    rescale: slope and intercept from stored to real values. inverted: whether black is the largest value.
    image_type: in capitals. grade: 0 for original images, 1 for derived, 2 for secondary ones.
    unusable: why it cannot belong to a cine of magnitude images, or None.
    subject: (ID, name, birth date), "" where absent; never shown.
    """

    path: Path
    frame: int | None
    plane: Plane
    thickness: float | None
    temporal: float | None
    trigger: float | None
    number: float | None
    acquired: str
    taken: str
    acquisition: tuple[str, ...]
    series: str
    newness: tuple[str, str, float]
    rescale: tuple[float, float]
    inverted: bool
    description: str
    image_type: tuple[str, ...]
    grade: int
    unusable: str | None
    study: str
    subject: tuple[str, str, str]


@dataclass(frozen=True)
class Contents:
    """What a folder holds.

    headers: the images that may belong to a cine. unusable: the other images with a place in space.
    left_out: everything else.
    """

    headers: tuple[Header, ...]
    unusable: tuple[Header, ...]
    left_out: tuple[LeftOut, ...]


def read_headers(folder: Path) -> Contents:
    """The headers of all images in ``folder`` and below. Copies of an object count once.

    Raises InputError for a damaged DICOM file, and where no image is usable.
    """
    listing = list_files(folder)
    headers: list[Header] = []
    left_out: Counter[tuple[str, str]] = Counter()
    seen: set[str] = set()
    for path in listing.files:
        dataset, reason = _read(path)
        if dataset is None:
            left_out["file", reason] += 1
            continue
        uid = _text(dataset, "SOPInstanceUID")
        if uid and uid in seen:
            left_out["file", COPY] += 1
            continue
        seen.add(uid)
        headers += _headers(path, dataset, left_out)
    usable = tuple(header for header in headers if header.unusable is None)
    unusable = tuple(header for header in headers if header.unusable is not None)
    if not usable:
        raise InputError(_nothing_usable(unusable, left_out))
    told = tuple(
        LeftOut(what, count, reason, unread=reason in _UNREAD)
        for (what, reason), count in sorted(left_out.items())
    )
    return Contents(usable, unusable, (*listing.left_out, *told))


def _read(path: Path) -> tuple[Dataset | None, str]:
    """The tags of an image file; else None and the reason."""
    try:
        dataset = read_tags(path)
    except DamagedError as error:
        if error.certain:
            raise InputError("A DICOM file in the folder is damaged; export the study again.") from error
        return None, NOT_READABLE
    except OSError:
        return None, NO_ACCESS
    if dataset is None:
        return None, EMPTY if path.stat().st_size == 0 else NOT_DICOM
    if "Rows" in dataset:
        return dataset, ""
    return None, NO_PIXELS if is_image(dataset) else NO_IMAGE


def _headers(path: Path, dataset: Dataset, left_out: Counter[tuple[str, str]]) -> list[Header]:
    """Of all frames of an object; those without a place are counted in ``left_out``."""
    frames, count = frames_of(dataset), frame_count(dataset)
    if not frames:
        left_out["image", NO_FRAME_PLACES] += count
    elif len(frames) < count:
        left_out["image", NO_FRAME_GROUP] += count - len(frames)
    found = [(frame, _plane(frame)) for frame in frames]
    placeless = sum(plane is None for _, plane in found)
    if placeless:
        left_out["image", kinds.why_unusable(frames[0]) or NO_PLACE] += placeless
    return [_header(path, frame, plane) for frame, plane in found if plane is not None]


def _plane(frame: Frame) -> Plane | None:
    origin = frame.numbers("ImagePositionPatient", 3)
    cosines = frame.numbers("ImageOrientationPatient", 6)
    spacing = frame.numbers("PixelSpacing", 2)
    rows, columns = frame.number_of("Rows"), frame.number_of("Columns")
    if origin is None or cosines is None or spacing is None or not rows or not columns:
        return None
    plane = Plane(origin, cosines[:3] * spacing[1], cosines[3:] * spacing[0], (int(rows), int(columns)))
    with np.errstate(over="ignore", invalid="ignore"):
        area = np.linalg.norm(np.cross(plane.step_x, plane.step_y))
    return plane if 0 < area < np.inf else None


def _header(path: Path, frame: Frame, plane: Plane) -> Header:
    slope, intercept = frame.number_of("RescaleSlope"), frame.number_of("RescaleIntercept")
    series_number = frame.number_of("SeriesNumber")
    date, time = (
        frame.text(f"Series{word}") or frame.text(f"Acquisition{word}") for word in ("Date", "Time")
    )
    words = kinds.image_type(frame)
    return Header(
        path=path,
        frame=frame.number,
        plane=plane,
        thickness=frame.number_of("SliceThickness"),
        temporal=_first(frame, "TemporalPositionIndex", "TemporalPositionIdentifier"),
        trigger=_trigger(frame),
        number=frame.number_of("InstanceNumber") if frame.number is None else float(frame.number),
        acquired=_moment(frame, "FrameAcquisitionDateTime", "Acquisition"),
        taken=_moment(frame, "FrameReferenceDateTime", "Content"),
        acquisition=("\\".join(words), frame.text("AcquisitionNumber"), _echo(frame)),
        series=frame.text("SeriesInstanceUID"),
        newness=(date, time, 0.0 if series_number is None else series_number),
        rescale=(slope or 1.0, intercept or 0.0),  # GDCM, too, takes a slope of 0 for 1
        inverted=frame.text("PhotometricInterpretation") == "MONOCHROME1",
        description=frame.text("SeriesDescription"),
        image_type=words,
        grade=kinds.grade(frame),
        unusable=kinds.why_unusable(frame),
        study=frame.text("StudyInstanceUID"),
        subject=(frame.text("PatientID"), frame.text("PatientName"), frame.text("PatientBirthDate")),
    )


def _first(frame: Frame, *keywords: str) -> float | None:
    return next((n for n in map(frame.number_of, keywords) if n is not None), None)


def _trigger(frame: Frame) -> float | None:
    trigger = _first(frame, "NominalCardiacTriggerDelayTime", "TriggerTime")
    return trigger if not frame.delay else (trigger or 0.0) + frame.delay


def _echo(frame: Frame) -> str:
    return frame.text("EffectiveEchoTime") or frame.text("EchoTime")


def _moment(frame: Frame, of_frame: str, of_object: str) -> str:
    """Date and time of a frame; of the whole object only where it is a single image."""
    moment = frame.text(of_frame)
    if moment or frame.number is not None:
        return moment
    return frame.text(f"{of_object}DateTime") or frame.text(f"{of_object}Date") + frame.text(
        f"{of_object}Time"
    )


def _text(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip()


def _nothing_usable(unusable: tuple[Header, ...], left_out: Counter[tuple[str, str]]) -> str:
    """Why a folder is refused."""
    reasons = {header.unusable for header in unusable} | {
        reason for what, reason in left_out if what == "image"
    }
    if NO_FRAME_PLACES in reasons:
        return (
            "The DICOM images hold several frames each but do not say where or when each frame was taken; "
            "export the original images."
        )
    if not reasons:
        unread = sum(left_out["file", reason] for reason in (NO_ACCESS, NOT_READABLE))
        if unread:
            return f"The folder holds no DICOM images that can be read; {unread} files could not be read."
        return "The folder holds no DICOM images; give the folder with the cine MR images."
    if reasons == {kinds.COLOUR}:
        return "The DICOM images are in colour; give the greyscale cine images themselves."
    if reasons <= {kinds.COLOUR, kinds.OTHER_MODALITY}:
        return "None of the DICOM images is from MR; give the cine MR images of the examination."
    if NO_PLACE in reasons:
        return (
            "None of the DICOM images says where it lies in the patient and how large its pixels are; export "
            "the original images, not screenshots."
        )
    if kinds.BURNT_IN in reasons:
        return "The DICOM images have text burnt into them; export the original images."
    return (
        "The folder holds no stack of parallel cine slices, only phase images, maps, localisers or parts of "
        "complex images; give the magnitude images of the short-axis cine."
    )
