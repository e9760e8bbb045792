"""A reconstruction as DICOM images of the study it came from, marked as derived and for research.

Every image is an MR Image Storage object (DICOM PS3.3, A.4). Patient, study and frame of reference are those
of the source, since that is where the heart lies; series, equipment and image are this program's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from ... import __version__
from ...core.geometry import Grid, unit
from ...core.intensity import grey_limits
from .reading import read_all, silence

MANUFACTURER, MODEL_NAME = "DMCVR", "dmcvr"
NOTICE = "For research use only, not for diagnosis."
SERIES_OFFSET = 9000
"""Added to the source's series number, so that the new series come after those of the scanner."""
LARGEST = 32767
"""Of stored numbers: 15 bits, which every viewer takes."""
FINE = 256
"""Images whose range is less are stored in finer steps than 1."""
_IDENTITY = (
    "SpecificCharacterSet", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "PatientAge", "PatientSize", "PatientWeight", "PatientIdentityRemoved", "DeidentificationMethod",
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription", "AccessionNumber",
    "ReferringPhysicianName", "FrameOfReferenceUID", "PositionReferenceIndicator",
)  # fmt: skip
_ACQUISITION = (
    "PatientPosition", "BodyPartExamined", "ScanningSequence", "SequenceVariant", "ScanOptions",
    "MRAcquisitionType", "SequenceName", "MagneticFieldStrength", "RepetitionTime", "EchoTime", "FlipAngle",
    "EchoTrainLength", "ImagingFrequency", "ImagedNucleus", "LossyImageCompression",
    "LossyImageCompressionRatio", "LossyImageCompressionMethod", "NominalInterval",
)  # fmt: skip
_EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator", "PatientPosition",
    "ScanOptions", "MRAcquisitionType", "RepetitionTime", "EchoTime", "EchoTrainLength",
)  # fmt: skip
"""Must be there, if only empty (type 2)."""
_REQUIRED = {"ScanningSequence": "RM", "SequenceVariant": "NONE", "BodyPartExamined": "HEART"}
"""Must have a value: research mode, and none, where the source does not say."""
GATED = ("CG", "PPG")
"""Scan options by which an image has a trigger time: cardiac gating, peripheral pulse gating."""


@dataclass(frozen=True)
class Source:
    """The study that a reconstruction belongs to.

    reference: one of its images, without pixels. images: (SOP class, SOP instance) UIDs of the short-axis
    stack's.
    """

    reference: Dataset
    images: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Series:
    """What all images of a new series share.

    description: of the series. derivation: how it was made, in plain words. origins: (Z,) what each slice is.
    made: when.
    """

    description: str
    derivation: str
    origins: tuple[str, ...]
    made: datetime


def read_source(files: Sequence[Path]) -> Source:
    """The study of a short-axis stack's ``files``, of which the first stands for all. Raises one of FAULTS
    where one is damaged.
    """
    with silence():
        datasets = [read_all(path) for path in dict.fromkeys(files)]
    reference = datasets[0]
    images = tuple((str(item.SOPClassUID), str(item.SOPInstanceUID)) for item in datasets)
    reference.pop("PixelData", None)
    return Source(reference, images)


def derived_images(
    source: Source, volume: np.ndarray, grid: Grid, times: np.ndarray | None, series: Series
) -> Iterator[list[Dataset]]:
    """For every frame of ``volume`` (T, Z, Y, X) on ``grid`` (LPS mm), a data set a slice.

    times: (T,) ms after the R wave, None where unknown. Intensities are rounded to whole numbers, or to steps
    of a rescale slope where they are so few that rounding would show.
    """
    series_uid = generate_uid()
    low, high = float(volume.min()), float(volume.max())
    slope = 1.0 if FINE <= max(high, -low) <= LARGEST else max(high, -low, 1e-6) / LARGEST
    limits = grey_limits(volume[0])
    frame_of_reference = source.reference.get("FrameOfReferenceUID") or generate_uid()
    for t, frame in enumerate(volume):
        images = []
        for z, image in enumerate(frame):
            ds = _common(source, series, series_uid)
            ds.FrameOfReferenceUID = frame_of_reference
            _place(ds, grid, z)
            _pixels(ds, image, slope, limits)
            ds.InstanceNumber = t * len(frame) + z + 1
            ds.ImageComments = f"{series.origins[z]} {NOTICE}"
            ds.TemporalPositionIdentifier, ds.NumberOfTemporalPositions = t + 1, len(volume)
            if times is not None:
                _time(ds, float(times[t]))
            images.append(ds)
        yield images


def _common(source: Source, series: Series, series_uid: str) -> Dataset:
    """A data set with all that does not depend on frame or slice, with a UID of its own."""
    ds, reference = Dataset(), source.reference
    for keyword in (*_IDENTITY, *_ACQUISITION):
        if keyword in reference:
            setattr(ds, keyword, reference[keyword].value)
    for keyword in _EMPTY:
        if keyword not in ds:
            setattr(ds, keyword, None)
    for keyword, value in _REQUIRED.items():
        if not ds.get(keyword):
            setattr(ds, keyword, value)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = MRImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    ds.Modality, ds.SeriesInstanceUID = "MR", series_uid
    ds.SeriesNumber = int(reference.get("SeriesNumber") or 0) + SERIES_OFFSET
    ds.SeriesDescription = series.description
    ds.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    ds.DerivationDescription = series.derivation
    ds.BurnedInAnnotation = "NO"
    ds.Manufacturer, ds.ManufacturerModelName = MANUFACTURER, MODEL_NAME
    ds.SoftwareVersions = __version__
    ds.InstanceCreationDate = ds.ContentDate = ds.SeriesDate = series.made.strftime("%Y%m%d")
    ds.InstanceCreationTime = ds.ContentTime = ds.SeriesTime = series.made.strftime("%H%M%S")
    ds.SourceImageSequence = [_reference(*image) for image in source.images]
    return ds


def _reference(sop_class: str, instance: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
    return item


def _place(ds: Dataset, grid: Grid, z: int) -> None:
    """Where slice ``z`` lies, numbers in the 16 characters that DICOM has for them."""
    plane, spacing = grid.plane(z), grid.spacing
    directions = np.concatenate([unit(plane.step_x), unit(plane.step_y)])
    ds.ImagePositionPatient = [f"{value:.9g}" for value in plane.origin]
    ds.ImageOrientationPatient = [f"{value:.10f}" for value in directions]
    ds.PixelSpacing = [f"{spacing[1]:.9g}", f"{spacing[0]:.9g}"]
    ds.SliceThickness = ds.SpacingBetweenSlices = f"{spacing[2]:.9g}"
    ds.SliceLocation = f"{float((plane.origin - grid.origin) @ plane.normal):.9g}"


def _time(ds: Dataset, time: float) -> None:
    """When the frame was taken, ms after the R wave, which only a gated image has."""
    options = ds.ScanOptions or []
    options = [options] if isinstance(options, str) else list(options)
    if not set(options) & set(GATED):
        ds.ScanOptions = [*options, GATED[0]]
    ds.TriggerTime = f"{time:.9g}"


def _pixels(ds: Dataset, image: np.ndarray, slope: float, limits: tuple[float, float]) -> None:
    """The image (H, W) as stored numbers, ``slope`` of intensity each."""
    stored = np.rint(image / slope).astype("<i2")
    ds.Rows, ds.Columns = image.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 1
    ds.WindowCenter = f"{sum(limits) / 2:.6g}"
    ds.WindowWidth = f"{max(limits[1] - limits[0], slope):.6g}"
    if slope != 1:
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = f"{slope:.9g}", "0", "US"
    ds.PixelData = stored.tobytes()
