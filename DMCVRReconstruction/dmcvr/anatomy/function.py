"""Volumes and function of the ventricles, from labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.errors import InputError
from ..core.labels import NAMES

MYOCARDIUM_G_PER_ML = 1.05


def volumes_ml(labels: np.ndarray, voxel_ml: float) -> dict[str, float]:
    """Volume in ml of each structure, by name, in ``labels`` (Z, Y, X) with voxels of ``voxel_ml``."""
    return {name: float(np.count_nonzero(labels == label) * voxel_ml) for label, name in NAMES.items()}


def stack_volumes_ml(labels: np.ndarray, positions: np.ndarray, pixel_area_mm2: float) -> dict[str, float]:
    """Volume in ml of each structure, by name, by summation of discs, the clinical convention.

    labels: (S, H, W) of the acquired slices. positions: (S,) mm along the normal, increasing. Each slice
    stands for half of the gap on either side; the end slices for as much outward as inward. InputError for a
    single slice.
    """
    if len(positions) < 2:
        raise InputError("A single slice has no volume; give a stack of at least two slices.")
    gaps = np.diff(positions)
    thickness = (np.append(gaps[0], gaps) + np.append(gaps, gaps[-1])) / 2
    slice_ml = thickness * pixel_area_mm2 / 1000
    areas = {name: np.count_nonzero(labels == label, axis=(1, 2)) for label, name in NAMES.items()}
    return {name: float(area @ slice_ml) for name, area in areas.items()}


def ejection_fraction(edv: float, esv: float) -> float:
    """Share of the end-diastolic volume that is ejected, in %. InputError where there is no such volume."""
    if edv <= 0:
        raise InputError("The ventricle has no volume at end-diastole, so there is no ejection fraction.")
    return 100 * (edv - esv) / edv


def mass_g(myocardium_ml: float) -> float:
    """Mass in g of ``myocardium_ml`` of heart muscle, at 1.05 g/ml."""
    return MYOCARDIUM_G_PER_ML * myocardium_ml


def clinical_numbers(volumes: list[dict], ed: int | None, es: int | None) -> dict[str, float]:
    """Title with unit -> value, from the ``volumes`` of each frame: {LVC, LVM, RVC} in ml.

    Function needs two different frames ``ed`` and ``es``; without them the first frame's volumes are given.
    """
    if ed is None or es is None or ed == es or len(volumes) == 1:
        only = volumes[0]
        return {
            "LV cavity, ml": only["LVC"],
            "LV myocardium, ml": only["LVM"],
            "LV mass, g": mass_g(only["LVM"]),
            "RV cavity, ml": only["RVC"],
        }
    out: dict[str, float] = {}
    for side, name in (("LV", "LVC"), ("RV", "RVC")):
        edv, esv = volumes[ed][name], volumes[es][name]
        out |= {f"{side} end-diastolic volume, ml": edv, f"{side} end-systolic volume, ml": esv}
        out[f"{side} stroke volume, ml"] = edv - esv
        if edv > 0:
            out[f"{side} ejection fraction, %"] = ejection_fraction(edv, esv)
        if side == "LV":
            out["LV mass at end-diastole, g"] = mass_g(volumes[ed]["LVM"])
    return out


def find_ed_es(volumes: Sequence[float]) -> tuple[int, int]:
    """Frames of end-diastole and end-systole: largest and smallest in LV cavity ``volumes`` (T,) in ml."""
    if len(volumes) == 0:
        raise InputError("There are no frames to find end-diastole and end-systole in.")
    return int(np.argmax(volumes)), int(np.argmin(volumes))
