"""Whether end-diastole and end-systole fit each other: what the two ventricles eject, and the muscle's
volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..anatomy.function import find_ed_es, mass_g

LARGEST_STROKE_DIFFERENCE_ML = 50.0
"""Between the ventricles. What one ejects the other receives, so healthy ones differ by a few ml; by experts'
labels of ACDC's patients 001-100 they differ by up to this.
"""
LARGEST_MASS_CHANGE = 0.26
"""Of the mass at end-diastole. Muscle keeps its volume; by the same labels it changes by up to this."""


def beat_warnings(volumes: Sequence[Mapping[str, float]]) -> list[str]:
    """A plain sentence for each way in which a cycle's ``volumes``, a frame each, {LVC, LVM, RVC} in ml,
    contradict themselves beyond what experts' own labels do. Nothing is said of fewer than two frames, or of
    a ventricle that was not found.
    """
    if len(volumes) < 2:
        return []
    ed, es = find_ed_es([frame["LVC"] for frame in volumes])
    return [*_of_strokes(volumes[ed], volumes[es]), *_of_mass(volumes[ed], volumes[es])]


def _of_strokes(ed: Mapping[str, float], es: Mapping[str, float]) -> list[str]:
    if min(ed["LVC"], ed["RVC"]) <= 0:
        return []
    left, right = (ed[cavity] - es[cavity] for cavity in ("LVC", "RVC"))
    if abs(left - right) <= LARGEST_STROKE_DIFFERENCE_ML:
        return []
    return [
        f"The stroke volumes of the left and the right ventricle, {left:.0f} and {right:.0f} ml, differ by "
        f"more than {LARGEST_STROKE_DIFFERENCE_ML:.0f} ml; look at the outlines, above all at the base, if "
        "no valve leaks."
    ]


def _of_mass(ed: Mapping[str, float], es: Mapping[str, float]) -> list[str]:
    if ed["LVM"] <= 0 or abs(es["LVM"] - ed["LVM"]) <= LARGEST_MASS_CHANGE * ed["LVM"]:
        return []
    return [
        f"The muscle of the left ventricle weighs {mass_g(ed['LVM']):.0f} g at end-diastole and "
        f"{mass_g(es['LVM']):.0f} g at end-systole; muscle keeps its volume, so look at the outlines."
    ]
