"""When the frames of a cine were taken, and which frame of another cine belongs to a moment of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FRAME_MS = (2.0, 500.0)
"""A plausible time between two frames of a cine."""
PLAYBACK_FPS = 15
"""At which 3D Slicer plays a cine."""


def plausible_times(values: np.ndarray, unit: str | None = None) -> np.ndarray | None:
    """The frame times (T,) in ms that ``values`` (T,) mean; None where they cannot be frame times.

    unit: "ms", "s" or "sec"; for any other, distances below 1 between frames are taken for seconds. Times
    that do not increase, or not by a plausible distance, are none, nor is that of a single frame.
    """
    if len(values) < 2:
        return None
    gaps = np.diff(values)
    if unit in ("s", "sec") or (unit != "ms" and np.median(gaps) < 1):
        values, gaps = values * 1000, gaps * 1000
    return values if gaps.min() > 0 and FRAME_MS[0] <= np.median(gaps) <= FRAME_MS[1] else None


def times_from_index(index: Sequence[str], count: int, unit: str | None = None) -> np.ndarray | None:
    """The times (T,) in ms of ``count`` frames by the ``index`` of a sequence, as ``plausible_times``.

    None, too, where the index does not have a number for every frame.
    """
    try:
        values = np.array([float(word) for word in index])
    except ValueError:  # the index of a sequence may be words
        return None
    return plausible_times(values, unit) if len(values) == count else None


def nearest_frame(count: int, times: np.ndarray | None, time: float | None, fraction: float) -> int:
    """The frame, of ``count``, nearest to a moment of another cine of the same heart.

    times: (count,) ms of the frames, time: ms of the moment; where either is unknown, the moment is at
    ``fraction`` of the cycle, from 0 to less than 1.
    """
    if times is not None and time is not None:
        return int(np.argmin(np.abs(times - time)))
    return round(fraction * count) % count
