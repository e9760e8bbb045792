"""Histograms, as the bars and texts of a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 200, 44, 12, 12, 38
MOST_BARS = 30


@dataclass(frozen=True)
class Bar:
    """A rectangle, y downwards."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """A drawing of WIDTH x HEIGHT. ticks: x and text. top, most: y and count of the highest bar. spread: the
    distribution in words.
    """

    title: str
    unit: str
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    top: float
    most: int
    spread: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def histogram(values: Sequence[float] | np.ndarray, title: str, unit: str) -> Histogram:
    """The distribution of ``values``, of which there is at least one."""
    data = np.asarray(values, float)
    count = int(np.clip(np.sqrt(len(data)), 1, MOST_BARS))
    counts, edges = np.histogram(data, count)
    low, high, most = edges[0], edges[-1], max(counts.max(), 1)

    def across(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def up(number: float) -> float:
        return HEIGHT - BOTTOM - number / most * (HEIGHT - TOP - BOTTOM)

    bars = tuple(
        Bar(across(a), up(number), max(across(b) - across(a) - 1, 1), up(0) - up(number))
        for number, a, b in zip(counts, edges[:-1], edges[1:], strict=True)
    )
    quartiles = ", ".join(f"{value:.3g}" for value in np.percentile(data, (25, 50, 75)))
    return Histogram(
        title=title,
        unit=unit,
        bars=bars,
        ticks=tuple((across(value), f"{value:.3g}") for value in np.linspace(low, high, 5)),
        top=up(most),
        most=int(most),
        spread=f"n = {len(data)}; quartiles {quartiles} {unit}; {data.min():.3g} to {data.max():.3g}",
    )
