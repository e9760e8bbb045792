"""Volumes over the cycle, as the lines and texts of a drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 22, 40
MOST_TICKS = 6


@dataclass(frozen=True)
class Series:
    """Volumes in ml, a frame each, None where one is not known. colour: for CSS."""

    title: str
    colour: str
    values: Sequence[float | None]
    dashed: bool = False


@dataclass(frozen=True)
class Line:
    """points: one (N, 2) array of x, y for each stretch of frames without a gap."""

    title: str
    colour: str
    dashed: bool
    points: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Chart:
    """A drawing of WIDTH x HEIGHT, y downwards. rows: y and text of each line of the grid; ticks and marks: x
    and text.
    """

    title: str
    unit: str
    rows: tuple[tuple[float, str], ...]
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def volume_chart(
    series: Sequence[Series], marks: Mapping[str, int] | None = None, times: ArrayLike | None = None
) -> Chart:
    """The chart of ``series``, all of as many frames, of which one volume at least is known.

    marks: title -> frame. times: ms, one a frame; without them the frames are counted.
    """
    count = len(series[0].values)
    x = np.arange(1, count + 1) if times is None else np.asarray(times, float)
    first, last = float(x[0]), float(x[-1])
    top = max(value for one in series for value in one.values if value is not None)
    step = next((step for step in (10, 20, 50, 100, 200, 500) if top / step <= MOST_TICKS), 1000)
    top = step * math.ceil(max(top, 1) / step)

    def across(value: float) -> float:
        return LEFT + (value - first) / max(last - first, 1e-9) * (WIDTH - LEFT - RIGHT)

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    lines = []
    for one in series:
        known = [value is not None for value in one.values]
        stretches = np.split(np.arange(count), np.flatnonzero(np.diff(known)) + 1)
        points = tuple(
            np.array([(across(x[frame]), up(one.values[frame] or 0.0)) for frame in frames])
            for frames in stretches
            if known[frames[0]]
        )
        lines.append(Line(one.title, one.colour, one.dashed, points))
    ticks = x[np.linspace(0, count - 1, min(count, MOST_TICKS)).round().astype(int)]
    return Chart(
        title=f"Volumes over {count} frames",
        unit="frame" if times is None else "ms after the R wave",
        rows=tuple((up(value), f"{value:.0f}") for value in np.arange(0, top + step / 2, step)),
        ticks=tuple((across(value), f"{value:.0f}") for value in ticks),
        marks=tuple((across(x[frame]), title) for title, frame in (marks or {}).items()),
        lines=tuple(lines),
    )
