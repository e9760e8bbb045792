"""Histograms as SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 200, 44, 12, 12, 38
MOST_BARS = 30


def histogram(values: Sequence[float], title: str, unit: str) -> str:
    """A <figure> with the distribution of ``values``, of which there is at least one."""
    data = np.asarray(values, float)
    bars = int(np.clip(np.sqrt(len(data)), 1, MOST_BARS))
    counts, edges = np.histogram(data, bars)
    low, high, top = edges[0], edges[-1], max(counts.max(), 1)

    def across(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def up(count: float) -> float:
        return HEIGHT - BOTTOM - count / top * (HEIGHT - TOP - BOTTOM)

    parts = [f'<path class="grid" d="M{LEFT} {up(0):.1f}H{WIDTH - RIGHT}"/>']
    for count, a, b in zip(counts, edges[:-1], edges[1:], strict=True):
        size = f'width="{max(across(b) - across(a) - 1, 1):.1f}" height="{up(0) - up(count):.1f}"'
        parts.append(f'<rect x="{across(a):.1f}" y="{up(count):.1f}" {size}/>')
    for value in np.linspace(low, high, 5):
        place = f'x="{across(value):.1f}" y="{HEIGHT - BOTTOM + 16}"'
        parts.append(f'<text {place} text-anchor="middle">{value:.3g}</text>')
    parts.append(f'<text x="{LEFT - 6}" y="{up(top) + 4:.1f}" text-anchor="end">{top}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 4}" text-anchor="middle">{escape(unit)}</text>'
    )
    quartiles = ", ".join(f"{value:.3g}" for value in np.percentile(data, (25, 50, 75)))
    spread = f"n = {len(data)}; quartiles {quartiles} {unit}; {data.min():.3g} to {data.max():.3g}"
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg><figcaption><strong>{escape(title)}</strong><br>{escape(spread)}</figcaption>"
        "</figure>"
    )
