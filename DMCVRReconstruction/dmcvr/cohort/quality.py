"""What in a result should make someone look: flags, each a few words. They are no verdict.

The bounds of function lie where few patients are: by the experts' labels of ACDC's patients 001-100, sick
ones most of them, 16 of 100 have an RV that ejects less than 20 % or an LV that ejects less than 15 %.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..reconstruction.beat_warnings import LARGEST_MASS_CHANGE, LARGEST_STROKE_DIFFERENCE_ML
from ..reconstruction.plausibility import LARGEST_SHIFT_MM
from ..reconstruction.warnings import IN_REGISTER, WIDE_GAP_MM

BOUNDS = {
    "edv_ml": ("LV volume", 45.0, 400.0),
    "rv_edv_ml": ("RV volume", 45.0, 400.0),
    "ef_percent": ("LV EF", 15.0, 80.0),
    "rv_ef_percent": ("RV EF", 20.0, 80.0),
    "mass_g": ("LV mass", 35.0, 300.0),
}
"""What is flagged as low and as high."""
FEW_SLICES = 6
DISAGREE = 0.25  # of the cavity's volume, reconstruction against disc summation
STROKES, MUSCLE = "stroke volumes differ", "muscle changes"
FUNCTION_FLAGS = {f"{title} {side}" for title, _, _ in BOUNDS.values() for side in ("low", "high")} | {
    STROKES,
    MUSCLE,
    "ventricle missing",
}
"""Those that are about the heart itself."""


def flags(result: Mapping, numbers: Mapping[str, float | None]) -> list[str]:
    """Why ``result``, as result.json holds it, should be looked at.

    numbers: of its subject, see ``function``.
    """
    found = []
    if None in result["long_axis"]:
        found.append("ventricle missing")
    for name, (title, low, high) in BOUNDS.items():
        value = numbers.get(name)
        if value is not None and not low <= value <= high:
            found.append(f"{title} {'low' if value < low else 'high'}")
    left, right = numbers.get("sv_ml"), numbers.get("rv_sv_ml")
    if left is not None and right is not None and abs(left - right) > LARGEST_STROKE_DIFFERENCE_ML:
        found.append(STROKES)
    ed, es = numbers.get("mass_g"), numbers.get("es_mass_g")
    if ed and es is not None and abs(es - ed) > LARGEST_MASS_CHANGE * ed:
        found.append(MUSCLE)
    return found + _of_making(result)


def _of_making(result: Mapping) -> list[str]:
    """What makes any number of ``result`` less certain."""
    pairs = zip(result["volumes"], result["stack_volumes"], strict=True)
    told = [text for text in result["warnings"] if not text.startswith(IN_REGISTER)]
    reasons = {
        "few slices": result["input"]["slices"] < FEW_SLICES,
        "wide gaps": max(result["input"]["gaps_mm"]) > WIDE_GAP_MM,
        "slices far out of register": result["register"]["largest_mm"] > LARGEST_SHIFT_MM,
        "volumes disagree": any(
            abs(ours["LVC"] - theirs["LVC"]) > DISAGREE * max(theirs["LVC"], 1.0) for ours, theirs in pairs
        ),
        "warnings": bool(told),
    }
    return [text for text, holds in reasons.items() if holds]
