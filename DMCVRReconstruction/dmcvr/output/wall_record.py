"""The part of a run's record that says how thick the wall of the left ventricle is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..anatomy.segments17 import SEGMENTS, thickening, wall_thickness
from ..core.errors import InputError
from ..core.geometry import Grid

BySegment = Mapping[str, float | None]


@dataclass(frozen=True)
class WallsRecord:
    """The wall's thickness in the reconstruction, mm by the AHA's 17 segments, see ``anatomy.segments17``.

    ed, es: at end-diastole and end-systole, null where that frame was not reconstructed or does not show both
    ventricles. first: in the first frame, where it is known of none whether it is either. thickening_percent:
    from ed to es, of ed.
    """

    ed: BySegment | None
    es: BySegment | None
    first: BySegment | None
    thickening_percent: BySegment | None


def measure_walls(labels: np.ndarray, grid: Grid, ed: int | None, es: int | None) -> WallsRecord:
    """Of labels (T, Z, Y, X) on ``grid``, in whose frames ``ed`` and ``es`` the heart is in these phases."""
    at_ed = None if ed is None else _thickness(labels[ed], grid)
    at_es = None if es is None else _thickness(labels[es], grid)
    thicker = None
    if at_ed is not None and at_es is not None:
        thicker = {name: _rounded(thickening(at_ed[name], at_es[name]), 1) for name in SEGMENTS}
    first = _thickness(labels[0], grid) if ed is None and es is None else None
    return WallsRecord(at_ed, at_es, first, thicker)


def _thickness(labels: np.ndarray, grid: Grid) -> BySegment | None:
    try:
        found = wall_thickness(labels, grid)
    except InputError:
        return None
    return (
        None if found is None else {name: _rounded(mm, 2) for name, mm in zip(SEGMENTS, found, strict=True)}
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
