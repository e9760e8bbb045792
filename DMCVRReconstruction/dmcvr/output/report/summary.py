"""What a reader wants to know first: function of both ventricles, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...anatomy.function import ejection_fraction, mass_g
from ...reconstruction.beat_warnings import LARGEST_STROKE_DIFFERENCE_ML
from ...reconstruction.plausibility import LARGEST_SHIFT_MM
from ...reconstruction.warnings import WIDE_GAP_MM
from ..record import RunRecord

USUAL_SHIFT_MM = 5.0
USUAL_GAP_MM = 10.5
USUAL_STROKE_DIFFERENCE_ML = 20.0
USUAL_DISAGREEMENT, LARGEST_DISAGREEMENT = 0.10, 0.25
"""Of the LV cavity's volume, reconstruction against disc summation."""
SHIFT_SOURCES = {
    "lax": "long-axis images",
    "shape": "the slices' shapes",
    "both": "long-axis images and the slices' shapes",
}


@dataclass(frozen=True)
class Ventricle:
    """ml, % and g; what is not known is None. volume_ml: of a frame that is neither known to be at
    end-diastole nor at end-systole.
    """

    edv_ml: float | None = None
    esv_ml: float | None = None
    mass_g: float | None = None
    volume_ml: float | None = None

    @property
    def sv_ml(self) -> float | None:
        """Stroke volume."""
        return None if self.edv_ml is None or self.esv_ml is None else self.edv_ml - self.esv_ml

    @property
    def ef_percent(self) -> float | None:
        """Ejection fraction."""
        return None if not self.edv_ml or self.esv_ml is None else ejection_fraction(self.edv_ml, self.esv_ml)


@dataclass(frozen=True)
class Function:
    """source: a sentence on where the numbers come from."""

    left: Ventricle
    right: Ventricle
    source: str


class Level(Enum):
    """How a light shines, and the word that stands beside it for those who do not see colours."""

    GOOD = "good"
    LOOK = "look"
    POOR = "poor"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Light:
    """One thing that tells how far to trust the result."""

    level: Level
    title: str
    text: str


def function(record: RunRecord) -> Function:
    """Both ventricles' function: from the reconstruction where both phases were reconstructed, else by disc
    summation over the cine where all of its frames were labelled, else what one frame shows.
    """
    cycle, volumes = record.cycle, record.volumes
    ed, es = record.ed, record.es
    if ed is not None and es is not None and ed != es:
        sides = [Ventricle(volumes[ed][name] or None, volumes[es][name]) for name in ("LVC", "RVC")]
        left = Ventricle(sides[0].edv_ml, sides[0].esv_ml, mass_g(volumes[ed]["LVM"]))
        return Function(left, sides[1], "From the reconstruction at end-diastole and end-systole.")
    muscle = mass_g(volumes[ed or es or 0]["LVM"])
    if cycle is not None:
        return Function(
            Ventricle(cycle.edv_ml, cycle.esv_ml, muscle),
            Ventricle(cycle.rv_edv_ml, cycle.rv_esv_ml),
            "Volumes by disc summation over the acquired slices of all frames; mass from the reconstruction.",
        )
    only = volumes[0]
    return Function(
        Ventricle(mass_g=muscle, volume_ml=only["LVC"]),
        Ventricle(volume_ml=only["RVC"]),
        "From the reconstruction of one frame, whose phase is not known.",
    )


def lights(record: RunRecord, ends: int) -> list[Light]:
    """What tells how far to trust the result. ends: how many extrapolated slices show the heart."""
    return [_shifts(record), _ends(record, ends), _gaps(record), *_strokes(record), *_agreement(record)]


def _level(value: float, usual: float, largest: float) -> Level:
    if value > largest:
        return Level.POOR
    return Level.LOOK if value > usual else Level.GOOD


def _shifts(record: RunRecord) -> Light:
    register, title = record.register, "Breath-hold shifts"
    if register.source == "none":
        return Light(Level.UNKNOWN, title, "Slices were left as acquired.")
    text = f"Largest {register.largest_mm:.1f} mm, taken back by {SHIFT_SOURCES[register.source]}."
    return Light(_level(register.largest_mm, USUAL_SHIFT_MM, LARGEST_SHIFT_MM), title, text)


def _ends(record: RunRecord, ends: int) -> Light:
    title, deep = "Ends of the heart", ends * record.geometry.spacing_mm[2]
    if not ends:
        return Light(Level.GOOD, title, "The acquired slices reach both.")
    text = f"{deep:.0f} mm beyond the acquired slices are extrapolated."
    return Light(_level(deep, 0.0, WIDE_GAP_MM), title, text)


def _gaps(record: RunRecord) -> Light:
    gap = max(record.input.gaps_mm)
    text = f"{record.input.slices}, up to {gap:.1f} mm apart."
    return Light(_level(gap, USUAL_GAP_MM, WIDE_GAP_MM), "Slices", text)


def _strokes(record: RunRecord) -> list[Light]:
    known = function(record)
    left, right = known.left.sv_ml, known.right.sv_ml
    if left is None or right is None:
        return []
    level = _level(abs(left - right), USUAL_STROKE_DIFFERENCE_ML, LARGEST_STROKE_DIFFERENCE_ML)
    text = f"{left:.0f} ml (LV) and {right:.0f} ml (RV); without leaks they are alike."
    return [Light(level, "Stroke volumes", text)]


def _agreement(record: RunRecord) -> list[Light]:
    at = record.ed or 0
    ours, theirs = record.volumes[at]["LVC"], record.stack_volumes[at]["LVC"]
    if not theirs:
        return []
    off = (ours - theirs) / theirs
    level = _level(abs(off), USUAL_DISAGREEMENT, LARGEST_DISAGREEMENT)
    return [
        Light(level, "Reconstruction and slices", f"LV cavity {100 * off:+.0f} % against disc summation.")
    ]
