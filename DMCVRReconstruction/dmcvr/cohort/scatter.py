"""Scatter plots that tell outliers by name, as the points and texts of a drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 520, 380, 52, 16, 14, 44
MOST_POINTS = 3000
"""Of those without a name; of more, evenly chosen ones are drawn."""
MOST_NAMES = 20
STEPS = (5, 10, 20, 50, 100, 200)
MOST_TICKS = 7


@dataclass(frozen=True)
class NamedPoint:
    """A subject that stands out. anchor: where on the page more is said of it."""

    name: str
    anchor: str
    x: float
    y: float


@dataclass(frozen=True)
class Axis:
    """What is drawn along one side."""

    title: str
    unit: str


@dataclass(frozen=True)
class Scatter:
    """A drawing of WIDTH x HEIGHT, y downwards. columns, rows: place and text of the grid's lines. points:
    (N, 2) of all subjects, or many of them; named: of those that stand out, with the text's side. diagonal:
    the two ends of the line on which both numbers are the same, if it is drawn. note: what is drawn.
    """

    title: str
    across: Axis
    up: Axis
    columns: tuple[tuple[float, str], ...]
    rows: tuple[tuple[float, str], ...]
    points: np.ndarray
    named: tuple[tuple[NamedPoint, str], ...]
    diagonal: tuple[float, float, float, float] | None
    note: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def scatter(
    title: str,
    axes: tuple[Axis, Axis],
    values: np.ndarray,
    named: Sequence[NamedPoint],
    *,
    alike: bool = False,
) -> Scatter:
    """The plot of ``values`` (N, 2), N at least 1.

    axes: across and up. named: subjects that stand out, the most important first; their x and y are numbers
    as in ``values``. alike: whether both axes show the same quantity, which then have one scale and a line on
    which both are the same.
    """
    lows, highs = values.min(0), values.max(0)
    if alike:
        lows, highs = np.full(2, lows.min()), np.full(2, highs.max())
    ticks = [_ticks(low, high) for low, high in zip(lows, highs, strict=True)]
    across = _scale(ticks[0], LEFT, WIDTH - RIGHT)
    up = _scale(ticks[1], HEIGHT - BOTTOM, TOP)
    some = values[:: max(1, len(values) // MOST_POINTS)]
    ends = ticks[0][0], ticks[0][-1]
    middle = (LEFT + WIDTH - RIGHT) / 2
    shown = [NamedPoint(item.name, item.anchor, across(item.x), up(item.y)) for item in named[:MOST_NAMES]]
    more = len(named) - len(shown)
    return Scatter(
        title=title,
        across=axes[0],
        up=axes[1],
        columns=tuple((across(value), f"{value:g}") for value in ticks[0]),
        rows=tuple((up(value), f"{value:g}") for value in ticks[1]),
        points=np.stack([across(some[:, 0]), up(some[:, 1])], 1),
        named=tuple((item, "start" if item.x < middle else "end") for item in shown),
        diagonal=(across(ends[0]), up(ends[0]), across(ends[1]), up(ends[1])) if alike else None,
        note=f"n = {len(values)}; named: what stands out" + (f", and {more} more" if more else ""),
    )


def _ticks(low: float, high: float) -> np.ndarray:
    """Round numbers from at most ``low`` to at least ``high``, zero among them where it is not far."""
    low = min(low, 0.0) if low < 0.5 * high else low
    step = next((step for step in STEPS if (high - low) / step <= MOST_TICKS), 500)
    first, last = np.floor(low / step), max(np.ceil(high / step), np.floor(low / step) + 1)
    ticks: np.ndarray = np.arange(first, last + 1) * step
    return ticks


def _scale(ticks: np.ndarray, start: float, end: float) -> Callable:
    """From numbers to places, so that the first of ``ticks`` lies at ``start`` and the last at ``end``."""
    return lambda value: start + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (end - start)
