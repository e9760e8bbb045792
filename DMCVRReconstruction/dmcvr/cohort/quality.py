"""What in a result should make someone look: flags, each a few words. They are no verdict.

The bounds are wide of what is found in adults, sick ones included.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..reconstruction.warnings import WIDE_GAP_MM

LV_ML = (30.0, 600.0)  # at end-diastole
RV_ML = (30.0, 600.0)
EF_PERCENT = (8.0, 85.0)
MASS_G = (35.0, 400.0)
FEW_SLICES = 6
DISAGREE = 0.25  # of the cavity's volume, reconstruction against disc summation
OVER_ALL = {"edv_ml": LV_ML, "rv_edv_ml": RV_ML, "ef_percent": EF_PERCENT, "mass_g": MASS_G}
TITLES = {"edv_ml": "LV volume", "rv_edv_ml": "RV volume", "ef_percent": "EF", "mass_g": "LV mass"}


def flags(result: dict, numbers: Mapping[str, float | None]) -> list[str]:
    """Why ``result``, as result.json holds it, should be looked at.

    numbers: of its subject, see ``function``.
    """
    found = []
    if None in result["long_axis"]:
        found.append("ventricle missing")
    for name, (low, high) in OVER_ALL.items():
        value = numbers.get(name)
        if value is not None and not low <= value <= high:
            found.append(f"{TITLES[name]} unusual")
    if result["input"]["slices"] < FEW_SLICES:
        found.append("few slices")
    if max(result["input"]["gaps_mm"]) > WIDE_GAP_MM:
        found.append("wide gaps")
    pairs = zip(result["volumes"], result["stack_volumes"], strict=True)
    if any(abs(a["LVC"] - b["LVC"]) > DISAGREE * max(b["LVC"], 1.0) for a, b in pairs):
        found.append("volumes disagree")
    if result["warnings"]:
        found.append("warnings")
    return found
