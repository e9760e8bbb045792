"""A cine is one heart: its slices' labels fitted over the whole beat.

Every frame is segmented by itself, and what is uncertain in it comes out differently in the next. A beat
needs few Fourier terms (`harmonics`). Three things are fitted over all frames of a stack:

- where each ventricle ends towards the base, its valve plane (`valve_plane`): it decides which slices show
  the ventricle in which frames, instead of each frame for itself;
- the outlines in every slice, by their nested signed distances; where the plane leaves a slice for a while,
  its outlines go on as the terms do;
- the muscle, whose volume stays the same: both borders of the wall move, in opposite directions and by the
  same small distance all over a frame, until it is that of the mean over the cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..anatomy.distance_interpolation import End, apical_end, heart_areas
from ..anatomy.signed_distances import CAVITY, WHOLE, labels_from_distances, nested_distances
from ..core.labels import LVC, NAMES, RVC
from .base import end_at_valve_planes
from .harmonics import smooth_over_cycle
from .valve_plane import ValvePlane, fit_valve_plane

LEAST_FRAMES = 8
"""A cine of fewer is too coarse for its frames to say much of each other."""
LIMIT_MM = 12.0
MARGIN_PIXELS = 12
MOST_MM = 1.0
"""The muscle's borders move by no more for its volume to stay the same."""
BISECTIONS = 12
OUTLIER = 3.0
"""A frame that is off the fit by so many times what frames are in the median does not count."""
LEAST_KNOWN = 0.25
"""Of all frames, those that must show the ventricle well within a slice for its outlines to be fitted."""
WHOLE_SHARE = 0.4
"""Of the largest area that a cavity has in a slice over the cycle; with less the valve plane cuts it."""
LEFT, RIGHT = (0, 1), (2,)
"""The channels of the nested distances that are of each ventricle."""


@dataclass(frozen=True)
class Cycle:
    """outlines: (T, S, H, W) uint8, of all frames; where a valve plane leaves a slice for a while they go on.
    labels: the same, ended at the planes. left, right: these planes, None where the stack shows none.
    volumes: T of {LVC, LVM, RVC} in ml, by summation of discs up to the valve planes.
    """

    outlines: np.ndarray
    labels: np.ndarray
    left: ValvePlane | None
    right: ValvePlane | None
    volumes: tuple[dict[str, float], ...]

    @property
    def lvc_ml(self) -> tuple[float, ...]:
        """(T,) volume of the LV cavity."""
        return tuple(frame["LVC"] for frame in self.volumes)

    @property
    def rvc_ml(self) -> tuple[float | None, ...]:
        """(T,) volume of the RV cavity, None where none was found."""
        return tuple(frame["RVC"] or None for frame in self.volumes)


def fit_cycle(labels: np.ndarray, positions: np.ndarray, spacing: tuple[float, float]) -> Cycle:
    """The beat that the frames' labels (T, S, H, W) uint8 are of.

    positions: (S,) mm along the normal, increasing. spacing: (x, y) mm.
    """
    if not labels.any():
        return Cycle(labels, labels, None, None, (dict.fromkeys(NAMES.values(), 0.0),) * len(labels))
    box = _heart_box(labels)
    inside = labels[(..., *box)]
    apex = apical_end(np.mean([heart_areas(frame) for frame in inside], 0), positions)
    planes = {LEFT: _plane(inside, positions, LVC, apex), RIGHT: _plane(inside, positions, RVC, apex)}
    maps = nested_distances(inside, spacing, LIMIT_MM)
    pixel_ml = float(np.prod(spacing)) / 1000
    heights = {}
    for channels, plane in planes.items():
        shown = _smooth(maps, channels, plane, positions)
        heights[channels] = _heights(positions, shown, plane, len(labels))
    keep_muscle(maps, heights[LEFT] * pixel_ml)
    fitted = labels_from_distances(maps)
    volumes = _volumes(fitted, heights[LEFT] * pixel_ml, heights[RIGHT] * pixel_ml)
    outlines, ended = np.zeros_like(labels), fitted.copy()
    end_at_valve_planes(ended, positions, planes[LEFT], planes[RIGHT], range(len(labels)))
    outlines[(..., *box)] = fitted
    out = np.zeros_like(labels)
    out[(..., *box)] = ended
    return Cycle(outlines, out, planes[LEFT], planes[RIGHT], volumes)


def _heart_box(labels: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of labels (T, S, H, W) about all that is drawn in any frame."""
    rows, columns = (np.flatnonzero((labels > 0).any((0, 1, axis))) for axis in (3, 2))
    first, second = (
        slice(max(found[0] - MARGIN_PIXELS, 0), found[-1] + 1 + MARGIN_PIXELS) for found in (rows, columns)
    )
    return first, second


def _plane(labels: np.ndarray, positions: np.ndarray, cavity: int, apex: End | None) -> ValvePlane | None:
    if apex is None:
        return None
    areas = (labels == cavity).sum((2, 3)).astype(float)
    return fit_valve_plane(areas, positions, cavity, upward=apex is End.FIRST)


def _smooth(
    maps: np.ndarray, channels: tuple[int, ...], plane: ValvePlane | None, positions: np.ndarray
) -> np.ndarray:
    """Fit the maps (T, S, 3, H, W) of one ventricle over the frames, in place. Returns which slices (S,)
    were.

    Where the plane comes near a slice, only frames in which it lies beyond count: elsewhere it cuts or has
    left the slice, which says nothing of outlines. A slice with too few of these keeps its own outlines in
    frames in which the plane lies beyond it. Towards the apex a ventricle that is gone has shrunk to nothing.
    """
    shown = np.asarray((maps[:, :, channels[0]] > 0).any((2, 3)))
    # Missed between slices that show it: no evidence of its being small.
    inside = np.logical_or.accumulate(shown, 1) & np.logical_or.accumulate(shown[:, ::-1], 1)[:, ::-1]
    counts = shown | ~inside
    fitted = np.asarray(shown.any(0))
    for index in np.flatnonzero(fitted):
        known = counts[:, index]
        if plane is not None and plane.comes_near(positions[index]):
            areas = (maps[:, index, channels[0]] > 0).sum((1, 2))
            known = (areas >= WHOLE_SHARE * areas.max()) & plane.is_beyond(positions[index])
            if known.mean() < LEAST_KNOWN:
                fitted[index] = False
                for channel in channels:
                    maps[~plane.holds(positions)[:, index], index, channel] = -LIMIT_MM
                continue
        own = maps[:, index, channels]
        maps[:, index, channels] = _fit(own, known, None if plane is None else plane.course)
    return fitted


def _fit(maps: np.ndarray, known: np.ndarray, course: np.ndarray | None) -> np.ndarray:
    """``maps`` (T, C, H, W) of one slice fitted over the frames, without those that do not fit the others."""
    fit = smooth_over_cycle(maps, known, course)
    off = np.abs(maps - fit).mean((1, 2, 3))
    usual = off <= OUTLIER * np.median(off[known])
    if usual[known].all() or not (known & usual).any():
        return fit
    return smooth_over_cycle(maps, known & usual, course)


def _heights(positions: np.ndarray, fitted: np.ndarray, plane: ValvePlane | None, frames: int) -> np.ndarray:
    """(T, S) mm of each slice's slab, as far as the ventricle reaches into it. A slab reaches half-way to the
    neighbours, at the ends as far outward as inward; that of the last slice that was ``fitted``, as far as
    the plane.
    """
    gaps = np.diff(positions)
    low = positions - np.append(gaps[0], gaps) / 2
    high = positions + np.append(gaps, gaps[-1]) / 2
    if plane is None or not fitted.any():
        return np.tile(high - low, (frames, 1))
    first, last = np.flatnonzero(fitted)[[0, -1]]
    if plane.upward:
        high[last:] = max(high[last], plane.positions.max())
        low[last + 1 :] = high[last]
    else:
        low[: first + 1] = min(low[first], plane.positions.min())
        high[:first] = low[first]
    return plane.height_within(low, high)


def keep_muscle(maps: np.ndarray, weights: np.ndarray) -> None:
    """Move the borders of the muscle in maps (T, S, 3, H, W), in place, until its volume is that of the mean
    over the frames, or they have moved by MOST_MM.

    weights: (T, S) ml that a pixel of each slice stands for.
    """
    target = np.mean([_muscle(frame, own, 0.0) for frame, own in zip(maps, weights, strict=True)])
    for frame, own in zip(maps, weights, strict=True):
        low, high = -MOST_MM, MOST_MM
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            low, high = (middle, high) if _muscle(frame, own, middle) < target else (low, middle)
        frame[:, WHOLE] += middle
        frame[:, CAVITY] -= middle


def _muscle(maps: np.ndarray, weights: np.ndarray, thicker: float) -> float:
    """Volume in ml of the muscle in maps (S, 3, H, W) with both borders moved ``thicker`` mm away from it."""
    whole = maps[:, WHOLE] > -thicker
    wall = whole & ~(maps[:, CAVITY] > thicker)
    return float(wall.sum((1, 2)) @ weights)


def _volumes(labels: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[dict[str, float], ...]:
    """T of {LVC, LVM, RVC} in ml. left, right: (T, S) ml that a pixel stands for, by ventricle."""
    out: list[dict[str, float]] = [{} for _ in labels]
    for label, name in NAMES.items():
        areas = (labels == label).sum((2, 3))
        for volumes, area, own in zip(out, areas, right if label == RVC else left, strict=True):
            volumes[name] = float(area @ own)
    return tuple(out)
