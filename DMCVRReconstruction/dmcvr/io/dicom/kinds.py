"""What an image is by its header: a magnitude image of a cine, or something to be kept apart from it.

Value 3 and later of Image Type (Frame Type in enhanced objects) hold the manufacturers' words: M, P, R and I
stand for magnitude, phase, real and imaginary part, alone (Siemens) or before a sequence's name (Philips:
M_FFE). GE states the same in a private element.
"""

from __future__ import annotations

import re

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from .frames import Frame

COLOUR = "in colour"
OTHER_MODALITY = "of another modality than MR"
PHASE = "phase or velocity, not magnitude"
PARTS = "real or imaginary part, not magnitude"
MAP = "a computed map"
SCOUT = "a localiser"
BURNT_IN = "text burnt into the pixels, which may name the patient"
SCREENSHOT = "a screenshot"
GREATEST_GRADE = 2

_PHASE = re.compile(r"P(_\w+)?|PHASE( MAP)?|VELOCITY( MAP)?|PHASE CONTRAST P")
_PARTS = re.compile(r"[RI](_\w+)?|REAL|IMAGINARY")
_MAP = re.compile(r".*(?<![A-Z])MAP(?![A-Z]).*|ADC|ECV|TENSOR")
_SCREENSHOT = re.compile(r"SCREEN[ _]?SAVE|SCREENSHOT|SCREEN CAPTURE")
_REFORMATTED = re.compile(r"(CSA )?MPR.*|REFORMATTED|RESAMPLED|PROJECTION IMAGE|(MIN)?IP|MIP|VOLREN|CPR")
_SCOUT = re.compile(r"scout|survey|locali[sz]er|\bloc\b|3.?plane", re.I)
_NO_CINE = re.compile(
    r"perf|first.?pass|molli|shmolli|sasha|(?<![a-z0-9])t[12]\*?.{0,3}map|(?<![a-z])map(?![a-z])|mapping|ecv"
    r"|(?<![a-z])(lge|psir|delayed|late.?gad\w*|viab\w*|tag\w*|venc|q.?flow|flow)(?![a-z])",
    re.I,
)
_STRESS = re.compile(r"stress|dobu|adeno|regad|belast", re.I)
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
GE_CREATOR, GE_COMPONENT = Tag(0x0043, 0x0010), Tag(0x0043, 0x102F)
"""Of GE's images: who wrote the private block, and 0 magnitude, 1 phase, 2 real, 3 imaginary."""
_GE_PARTS = {1: PHASE, 2: PARTS, 3: PARTS}


def image_type(frame: Frame) -> tuple[str, ...]:
    """Frame Type, else Image Type, in capitals."""
    value = frame.value("FrameType") or frame.value("ImageType") or ()
    return tuple(str(part).upper().strip() for part in ([value] if isinstance(value, str) else value))


def why_unusable(frame: Frame) -> str | None:
    """Why an image cannot belong to a cine of magnitude images, or None."""
    if "MONOCHROME" not in (frame.text("PhotometricInterpretation") or "MONOCHROME"):
        return COLOUR
    if frame.value("SamplesPerPixel") not in (None, 1):
        return COLOUR
    if frame.text("Modality") not in ("MR", ""):
        return OTHER_MODALITY
    if frame.text("BurnedInAnnotation").upper() == "YES":
        return BURNT_IN
    words = image_type(frame)[2:]
    component = frame.text("ComplexImageComponent").upper()
    of_ge = _GE_PARTS.get(_ge_component(frame.dataset) or 0)
    if component == "PHASE" or any(_PHASE.fullmatch(word) for word in words):
        return PHASE
    if component in ("REAL", "IMAGINARY") or any(_PARTS.fullmatch(word) for word in words):
        return PARTS
    if of_ge is not None:
        return of_ge
    if any(_SCREENSHOT.fullmatch(word) for word in words):
        return SCREENSHOT
    if any(_MAP.fullmatch(word) for word in words):
        return MAP
    if "LOCALIZER" in words or _SCOUT.search(frame.text("SeriesDescription")):
        return SCOUT
    return None


def grade(frame: Frame) -> int:
    """0 for original and primary images, 1 for derived and captured, 2 for secondary and reformatted ones."""
    words = image_type(frame)
    if "SECONDARY" in words[1:2] or any(_REFORMATTED.fullmatch(word) for word in words[2:]):
        return GREATEST_GRADE
    captured = frame.text("SOPClassUID").startswith(_SECONDARY_CAPTURE)
    return int("DERIVED" in words[:1] or captured) + int(captured and not words)


def is_called_otherwise(description: str) -> bool:
    """Whether a series is called perfusion, map, late enhancement, flow or tagging."""
    return _NO_CINE.search(description) is not None


def is_stress(description: str) -> bool:
    """Whether a series is called as if taken under stress."""
    return _STRESS.search(description) is not None


def protocol(description: str) -> str:
    """What the slices of one acquisition are called: the description without numbers."""
    return re.sub(r"[\W\d_]+", " ", description.lower()).strip()


def _ge_component(dataset: Dataset) -> int | None:
    if GE_CREATOR not in dataset or GE_COMPONENT not in dataset:
        return None
    if str(dataset[GE_CREATOR].value).strip() != "GEMS_PARM_01":
        return None
    value = dataset[GE_COMPONENT].value
    if isinstance(value, bytes):
        return int.from_bytes(value[:2], "little") if len(value) >= 2 else None
    return value if isinstance(value, int) else None
