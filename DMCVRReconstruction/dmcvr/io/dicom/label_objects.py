"""Labels as DICOM Segmentation objects (PS3.3, A.51), one a frame, coded in SNOMED CT, by highdicom."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from ... import __version__
from ...core.errors import InputError
from ...core.labels import COLOURS, TITLES
from ...core.terminology import CATEGORY, TERMS
from .derived import MANUFACTURER, MODEL_NAME, NOTICE
from .reading import silence

if TYPE_CHECKING:
    from highdicom.seg import Segmentation, SegmentDescription

HINT = 'The DICOM export needs highdicom, which is not installed: pip install "dmcvr[dicom]" adds it.'
SCHEME = "SCT"
ARTIFICIAL_INTELLIGENCE = Code("123109", "DCM", "Artificial Intelligence")
DESCRIPTION = "DMCVR labels, research use only"


def check_highdicom() -> None:
    """Raise InputError where highdicom is not installed."""
    if importlib.util.find_spec("highdicom") is None:
        raise InputError(HINT)


def label_objects(
    images: Sequence[Sequence[Dataset]], labels: np.ndarray, series_number: int, by_expert: bool
) -> list[Segmentation]:
    """A Segmentation object for each frame.

    images: T frames of Z data sets, the images that the labels lie on. labels: (T, Z, Y, X) uint8 in the
    project's order; a structure that a frame lacks has a segment without pixels. series_number: of the
    images. by_expert: whether the acquired slices were labelled by an expert.
    """
    from highdicom.seg import Segmentation

    series_uid = generate_uid()
    out = []
    for t, (frame, drawn) in enumerate(zip(images, labels, strict=True)):
        with silence():
            made = Segmentation(
                source_images=list(frame),
                pixel_array=np.ascontiguousarray(drawn, np.uint8),
                segmentation_type="BINARY",
                segment_descriptions=_segments(by_expert),
                series_instance_uid=series_uid,
                series_number=series_number + 1,
                sop_instance_uid=generate_uid(),
                instance_number=t + 1,
                manufacturer=MANUFACTURER,
                manufacturer_model_name=MODEL_NAME,
                software_versions=__version__,
                device_serial_number="0",
                content_label="HEART",
                content_description=NOTICE,
                series_description=DESCRIPTION,
            )
        out.append(made)
    return out


def _segments(by_expert: bool) -> list[SegmentDescription]:
    """LVC, LVM and RVC."""
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription

    algorithm: Any = AlgorithmIdentificationSequence(
        name=MANUFACTURER, version=__version__, family=ARTIFICIAL_INTELLIGENCE
    )
    return [
        SegmentDescription(
            segment_number=label,
            segment_label=TITLES[label],
            segmented_property_category=Code(CATEGORY[0], SCHEME, CATEGORY[1]),
            segmented_property_type=Code(TERMS[label][0], SCHEME, TERMS[label][1]),
            algorithm_type="SEMIAUTOMATIC" if by_expert else "AUTOMATIC",
            algorithm_identification=algorithm,
            display_color=CIELabColor.from_rgb(*COLOURS[label]),
        )
        for label in TITLES
    ]
