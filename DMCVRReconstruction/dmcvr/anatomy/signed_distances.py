"""Nested signed distances: the shape of the heart in one slice, and the straight line between two slices.

A slice's shape is three maps, of the LV cavity (LVC), the whole LV (LVC + LVM) and the RV cavity (RVC): at
every pixel the distance in mm to that structure's boundary, positive inside. The myocardium is the difference
of the first two, so it stays a closed wall wherever it is interpolated. Maps of neighbouring slices
interpolate linearly (eq. 5 of the DMCVR paper with this code as the morphology code; Raya and Udupa 1990 for
distances as a shape code).

Where a structure is in one slice and not in the next, it ends half-way between them, for that is all the
slices say. Toward the apex it tapers to a point there; toward the base, where the valve plane cuts across, it
keeps its shape. Nothing is made up beyond the first and the last slice.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
from scipy import ndimage

from ..core.labels import BACKGROUND, LVC, LVM, RVC
from ..core.positions import bracket

STRUCTURES = ((LVC,), (LVC, LVM), (RVC,))
"""The labels each of the three channels is made of."""
CAVITY, WHOLE = 0, 1
"""The two channels of the left ventricle."""

WHOLE_MM = 100.0
"""A limit no heart reaches inside (about 45 mm): maps to be interpolated need their true maximum to taper."""


def nested_distances(labels: np.ndarray, spacing: tuple[float, float], limit_mm: float = 12.0) -> np.ndarray:
    """Signed distance maps (..., 3, H, W) float32 in mm, positive inside, of labels (..., H, W).

    Channels: LVC, LVC + LVM, RVC. Distances are Euclidean and exact, to the boundary half a pixel beyond the
    outermost pixel centres (half the finer spacing, if the two differ), and clipped to +-``limit_mm``. Beyond
    the array is outside. A structure that is absent is -``limit_mm`` everywhere.

    spacing: (x, y) mm.
    """
    slices = labels.reshape(-1, *labels.shape[-2:])
    maps = np.full((len(slices), len(STRUCTURES), *labels.shape[-2:]), -limit_mm, np.float32)
    for image, channels in zip(slices, maps, strict=True):
        for members, channel in zip(STRUCTURES, channels, strict=True):
            _fill_signed_distance(channel, np.isin(image, members), spacing, limit_mm)
    return maps.reshape(*labels.shape[:-2], len(STRUCTURES), *labels.shape[-2:])


def _fill_signed_distance(
    out: np.ndarray, mask: np.ndarray, spacing: tuple[float, float], limit_mm: float
) -> None:
    """Write the clipped signed distance of ``mask`` (H, W) into ``out``, which is -``limit_mm`` all over."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return
    sampling = (spacing[1], spacing[0])
    margins = [int(limit_mm / step) + 2 for step in sampling]
    window = tuple(
        slice(max(found[0] - margin, 0), found[-1] + margin + 1)
        for found, margin in zip((rows, columns), margins, strict=True)
    )
    inside = np.pad(mask[window], 1)
    half = min(sampling) / 2
    to_outside = ndimage.distance_transform_edt(inside, sampling)
    to_inside = ndimage.distance_transform_edt(~inside, sampling)
    signed = np.where(inside, to_outside - half, half - to_inside)
    out[window] = np.clip(signed[1:-1, 1:-1], -limit_mm, limit_mm)


def labels_from_distances(distances: np.ndarray) -> np.ndarray:
    """Labels (..., H, W) uint8 of distance maps (..., 3, H, W).

    Inside is strictly above 0. The cavity counts only within the whole LV; where they overlap, LV
    wins over RV.
    """
    cavity, ventricle, right = (distances[..., channel, :, :] > 0 for channel in range(3))
    labels = np.where(right, RVC, BACKGROUND).astype(np.uint8)
    labels[ventricle] = LVM
    labels[ventricle & cavity] = LVC
    return labels


class End(Enum):
    """An end of a stack, by its slices' positions along the normal."""

    FIRST = "first"
    LAST = "last"


def apical_end(areas: np.ndarray, positions: np.ndarray) -> End | None:
    """The end of the stack toward which the heart narrows, or None if its area does not tell.

    A robust line (Theil-Sen) is laid through the areas of the slices that show the heart; it tells if, over
    the heart's length, it changes by more than a tenth of the median area.

    areas: (S,) of LV and RV together in each slice, in any unit, as from `heart_areas`: a dilated LV alone
        may hardly narrow up to the last slice, but the RV does. positions: (S,) mm, increasing.
    """
    from scipy import stats  # takes a second to import, which should not delay the first sign of progress

    areas, positions = np.asarray(areas, float), np.asarray(positions, float)
    shown = areas > 0
    if shown.sum() < 2:
        return None
    areas, positions = areas[shown], positions[shown]
    change = stats.theilslopes(areas, positions).slope * np.ptp(positions)
    if abs(change) <= 0.1 * np.median(areas):
        return None
    return End.LAST if change < 0 else End.FIRST


def heart_areas(labels: np.ndarray) -> np.ndarray:
    """(S,) pixels of LVC, LVM and RVC together in each slice of labels (S, H, W)."""
    return (labels != BACKGROUND).sum((-2, -1))


def missing_inner_slices(labels: np.ndarray) -> list[tuple[int, int]]:
    """(label, slice) wherever a slice of labels (S, H, W) lacks a label that slices on both sides of it show.

    The heart has no such gaps: these are misses of the segmentation, worth a warning, since the structure is
    then interpolated as if it ended there.
    """
    missing = []
    for label in (LVC, LVM, RVC):
        shown = (labels == label).any((-2, -1))
        if shown.any():
            first, last = np.flatnonzero(shown)[[0, -1]]
            missing += [(label, int(index)) for index in range(first, last) if not shown[index]]
    return missing


def between(first: np.ndarray, second: np.ndarray, t: float, apex: End | None) -> np.ndarray:
    """Distance maps (3, H, W) in mm at the fraction ``t`` in [0, 1] of the way from one slice to the next.

    A structure in both slices takes the straight line (eq. 5). One in a single slice is gone from t = 1/2 on:
    toward the apex it tapers until there, toward the base it keeps its shape. Where the LV cavity ends toward
    the base, so does the wall about it: muscle that the slice beyond still shows is a rim by the valve, of
    which the straight line would make a lid over the cavity, so each slice's wall reaches half-way.

    first, second: (3, H, W) mm, of neighbouring slices in one in-plane frame, in the order of the stack, made
        with a limit that no inside distance reaches (`WHOLE_MM`).
    apex: which end of the stack is apical; None tapers both ways.
    """
    out = (1 - t) * first + t * second
    in_first, in_second = ((maps > 0).any((-2, -1)) for maps in (first, second))
    ends = (
        (in_first & ~in_second, first, second, t, apex is not End.FIRST),
        (in_second & ~in_first, second, first, 1 - t, apex is not End.LAST),
    )
    for ending, last, beyond, far, tapers in ends:
        for channel in np.flatnonzero(ending):
            out[channel] = _ending(last[channel], beyond[channel], far, tapers=tapers)
        if ending[CAVITY] and not tapers:
            out[WHOLE] = (last if far < 0.5 else beyond)[WHOLE]
    return out


def _ending(last: np.ndarray, absent: np.ndarray, t: float, *, tapers: bool) -> np.ndarray:
    """One structure's map (H, W) from its ``last`` slice (t = 0) to the one where it is ``absent`` (t = 1).

    Tapering, all distances sink until at t = 1/2 the innermost is 0, and then on to those of ``absent``.
    Otherwise the shape stays and is gone from t = 1/2 on.
    """
    if not tapers:
        return last if t < 0.5 else absent
    point = last - last.max()
    if t < 0.5:
        return (1 - 2 * t) * last + 2 * t * point
    return (2 - 2 * t) * point + (2 * t - 1) * absent


def interpolate_distances(
    distances: np.ndarray, positions: np.ndarray, wanted: np.ndarray, apex: End | None
) -> np.ndarray:
    """Distance maps (Z, 3, H, W) in mm at the ``wanted`` positions (Z,), from all slices' (S, 3, H, W).

    At a slice's own position its maps come back unchanged. See `between` for the rule and ``apex``.

    positions: (S,) mm, increasing. Raises ValueError for positions beyond the first or last slice.
    """
    below, above, fractions = bracket(positions, wanted)
    return np.stack(
        [
            between(distances[a], distances[b], t, apex)
            for a, b, t in zip(below, above, fractions, strict=True)
        ]
    )
