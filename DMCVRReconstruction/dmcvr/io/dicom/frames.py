"""The frames of a DICOM object, and where in it the attributes of each are.

An enhanced object states them in functional groups: sequences ("macros") for every frame or shared by all
(DICOM PS3.3, C.7.6.16). They are looked up in the public macro that the standard names for them. Private
sequences beside it may hold attributes of the same names with other meanings: Philips' private positions lie
half a pixel off the public ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

MACROS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "NominalCardiacTriggerDelayTime": "CardiacSynchronizationSequence",
    "TemporalPositionIndex": "FrameContentSequence",
    "FrameAcquisitionDateTime": "FrameContentSequence",
    "FrameReferenceDateTime": "FrameContentSequence",
    "FrameType": "MRImageFrameTypeSequence",
    "ComplexImageComponent": "MRImageFrameTypeSequence",
    "EffectiveEchoTime": "MREchoSequence",
}
IN_TIME = {0x00181063, 0x00181065, 0x00540070}
"""Frame Time, Frame Time Vector and Time Slot Vector: frames that follow each other in time."""
MOST_FRAMES = 4096
"""Of an object without functional groups."""


@dataclass(frozen=True)
class Frame:
    """One image of an object.

    number: its index among the object's frames; None for an object of a single image.
    dataset: the object. groups: its own functional groups, then the shared ones.
    delay: ms after the object's first frame, or None where unknown.
    """

    number: int | None
    dataset: Dataset
    groups: tuple[Dataset, ...] = ()
    delay: float | None = None

    def value(self, keyword: str) -> Any:
        """The attribute's value, from its macro if the object has it there, else from the object itself."""
        for group in self.groups if keyword in MACROS else ():
            macro = group.get(MACROS[keyword])
            if isinstance(macro, Items) and macro and macro[0].get(keyword) is not None:
                return macro[0].get(keyword)
        return self.dataset.get(keyword)

    def numbers(self, keyword: str, count: int) -> np.ndarray | None:
        """(count,) finite numbers, None where the attribute is absent or malformed."""
        try:
            numbers = np.atleast_1d(np.array(self.value(keyword), float))
        except (TypeError, ValueError):
            return None
        return numbers if numbers.shape == (count,) and np.isfinite(numbers).all() else None

    def number_of(self, keyword: str) -> float | None:
        """One finite number, None where the attribute is absent or malformed."""
        numbers = self.numbers(keyword, 1)
        return None if numbers is None else float(numbers[0])

    def text(self, keyword: str) -> str:
        """The value as text, "" where absent."""
        value = self.value(keyword)
        return "" if value is None else str(value).strip()


def frames_of(dataset: Dataset) -> list[Frame]:
    """All frames of an object; none where it has several and does not say where or when each was taken, or
    claims more than MOST_FRAMES.
    """
    shared = _items(dataset, "SharedFunctionalGroupsSequence")[:1]
    groups = _items(dataset, "PerFrameFunctionalGroupsSequence")
    if groups:
        return [Frame(number, dataset, (group, *shared)) for number, group in enumerate(groups)]
    count = frame_count(dataset)
    if count == 1:
        return [Frame(None, dataset, tuple(shared))]
    delays = _delays(dataset, count) if count <= MOST_FRAMES else None
    if delays is None:
        return []
    return [Frame(number, dataset, tuple(shared), delay) for number, delay in enumerate(delays)]


def frame_count(dataset: Dataset) -> int:
    """How many frames an object claims to have, at least 1."""
    return int(max(Frame(None, dataset).number_of("NumberOfFrames") or 1.0, 1.0))


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    value = dataset.get(keyword)
    return list(value) if isinstance(value, Items) else []


def _delays(dataset: Dataset, count: int) -> Sequence[float | None] | None:
    """ms of each frame after the first, where frames follow each other in time; else None."""
    whole = Frame(None, dataset)
    step, steps = whole.number_of("FrameTime"), whole.numbers("FrameTimeVector", count)
    pointers = np.atleast_1d(np.array(dataset.get("FrameIncrementPointer") or [], object))
    if len(pointers) and not {int(pointer) for pointer in pointers} <= IN_TIME:
        return None
    if not len(pointers) and step is None and steps is None:
        return None
    if steps is not None:
        return [float(time) for time in np.cumsum(steps) - steps[0]]
    return [None] * count if not step or step < 0 else [step * number for number in range(count)]
