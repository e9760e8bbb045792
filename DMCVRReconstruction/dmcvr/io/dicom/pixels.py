"""The pixels of DICOM images as intensities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage, RLELossless

from ...core.errors import InputError
from ...core.geometry import Plane, sample_plane
from ...system.quiet import quiet
from ..sanity import check_size
from .frames import Frame
from .headers import Header
from .reading import FAULTS, read_all, silence

WHOLE = 0.05
"""How far a decoded value, its rescaling undone, may be off a whole number."""


def read_pixels(headers: Sequence[Sequence[Header]], planes: Sequence[Plane | None]) -> np.ndarray:
    """(T, S, H, W) float32, rescaled intensities of S slices with T headers each.

    planes: S; the pixels onto which a slice is to be resampled, None for those that stay as they are.
    Raises InputError where an image cannot be decoded.
    """
    grid = next(plane or cine[0].plane for cine, plane in zip(headers, planes, strict=True))
    shape = (len(headers[0]), len(headers), *grid.shape)
    check_size(prod(shape))
    for cine in headers:
        check_size(len(cine) * prod(cine[0].plane.shape))
    out: np.ndarray | None = None
    darkest = np.inf
    for path, images in _by_file(headers).items():
        stored, largest = _decode(path)
        for time, index, header in images:
            number = header.frame or 0
            if number >= len(stored) or stored.shape[1:] != header.plane.shape:
                raise InputError(
                    "A DICOM image has another size than its header says; export the study again."
                )
            if out is None:  # not before a file has shown that its size is no mere claim
                out = np.zeros(shape, np.float32)
            image = _intensities(stored[number], header, largest)
            darkest = min(darkest, float(image.min())) if header.inverted else darkest
            target = planes[index]
            with np.errstate(over="ignore", invalid="ignore"):
                out[time, index] = image if target is None else sample_plane(image, header.plane, target)
    assert out is not None
    for index, cine in enumerate(headers):
        for time, header in enumerate(cine):
            if header.inverted:  # whoever inverted them may have had another largest value
                out[time, index] = np.maximum(out[time, index] - darkest, 0)
    return out


def _by_file(headers: Sequence[Sequence[Header]]) -> dict[Path, list[tuple[int, int, Header]]]:
    """Time, slice and header of the images of each file."""
    found: dict[Path, list[tuple[int, int, Header]]] = defaultdict(list)
    for index, cine in enumerate(headers):
        for time, header in enumerate(cine):
            found[header.path].append((time, index, header))
    return found


def _intensities(stored: np.ndarray, header: Header, largest: int) -> np.ndarray:
    """(H, W) float32 of stored numbers."""
    slope, intercept = header.rescale
    image = stored.astype(np.float32)
    if header.inverted:
        image = np.float32(largest) - image
    with np.errstate(over="ignore", invalid="ignore"):  # infinity is refused later, in words
        return np.asarray(image * np.float32(slope) + np.float32(intercept))


def _decode(path: Path) -> tuple[np.ndarray, int]:
    """Stored numbers of a file, (frames, H, W), and what inverts them: the largest plus the smallest number
    that they may be.

    JPEG is decoded by SimpleITK's GDCM, since pydicom does not know it by itself; run lengths by pydicom,
    since GDCM fails on those that are longer than the pixels.
    """
    try:
        with silence():
            dataset = read_all(path)
            largest = _largest(dataset, int(dataset.BitsStored))
            syntax = dataset.file_meta.TransferSyntaxUID
            if syntax == RLELossless or not syntax.is_encapsulated:
                array = dataset.pixel_array
                return array.reshape(-1, *array.shape[-2:]), largest
            with quiet(), path.open("rb") as file:
                name = path if _is_utf8(path) else f"/dev/fd/{file.fileno()}"
                decoded = sitk.GetArrayFromImage(sitk.ReadImage(str(name), imageIO="GDCMImageIO"))
            return _stored(decoded.reshape(-1, *decoded.shape[-2:]), dataset), largest
    except (RuntimeError, *FAULTS) as error:
        raise InputError(
            "The pixels of a DICOM file are damaged or compressed in an unknown way; export the study "
            "uncompressed."
        ) from error


def _largest(dataset: Dataset, bits: int) -> int:
    """The largest plus the smallest number of so many bits: 0 and it change places when inverted."""
    return -1 if dataset.PixelRepresentation == 1 else 2 ** min(max(bits, 1), 32) - 1


def _stored(decoded: np.ndarray, dataset: Dataset) -> np.ndarray:
    """The stored numbers of pixels that ITK's GDCM has rescaled, all frames by one slope and intercept, and
    turned back where they are inverted.

    Of enhanced objects it takes those shared by all frames, else those of the first frame, else those of the
    object; of others, those of the object (GDCM's ImageHelper::GetRescaleInterceptSlopeValue).
    """
    groups: tuple[Dataset, ...] = ()
    if dataset.SOPClassUID in (EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage):
        shared = dataset.get("SharedFunctionalGroupsSequence") or []
        per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
        groups = (*shared[:1], *per_frame[:1])
    first = Frame(0, dataset, groups)
    slope = first.number_of("RescaleSlope") or 1.0
    intercept = first.number_of("RescaleIntercept") or 0.0
    if (slope, intercept) != (1.0, 0.0):
        scaled = (decoded.astype(np.float64) - intercept) / slope
        decoded = np.rint(scaled)
        if not np.abs(scaled - decoded).max(initial=0) <= WHOLE:
            raise ValueError("rescaled in another way than expected")
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        largest = _largest(dataset, int(dataset.BitsStored))
        if largest >= 0 and decoded.max(initial=0) > largest:  # all bits were turned, the unused ones too
            largest = _largest(dataset, int(dataset.BitsAllocated))
        return np.asarray(largest - decoded.astype(np.float64))
    return decoded


def _is_utf8(path: Path) -> bool:
    """Whether SimpleITK can be told the path, which the system may hold in any encoding."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
