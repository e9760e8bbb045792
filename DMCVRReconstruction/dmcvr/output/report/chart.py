"""Volumes over the cycle as an SVG drawing that takes its text colour from the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from ...core.labels import COLOURS, LVC, RVC, TITLES

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 22, 40
SHOWN = {"LVC": LVC, "RVC": RVC}


def volume_curve(
    volumes: Sequence[Mapping[str, float]],
    stack_volumes: Sequence[Mapping[str, float]] = (),
    marks: Mapping[str, int] | None = None,
    times: ArrayLike | None = None,
) -> str:
    """An <svg> of the ventricles' volumes in ml, frame by frame.

    volumes: of the reconstruction, solid lines; stack_volumes: by disc summation, dashed.
    marks: title -> frame.
    times: ms, one a frame; without them the frames are counted.
    """
    x = np.arange(1, len(volumes) + 1) if times is None else np.asarray(times, float)
    first, last = float(x[0]), float(x[-1])
    top = max(value[name] for value in [*volumes, *stack_volumes] for name in SHOWN)
    step = next((step for step in (10, 20, 50, 100, 200, 500) if top / step <= 6), 1000)
    top = step * math.ceil(max(top, 1) / step)

    def across(value: float) -> float:
        return LEFT + (value - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = []
    for value in np.arange(0, top + step / 2, step):
        parts.append(f'<path class="grid" d="M{LEFT} {up(value):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{up(value) + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    for value in np.linspace(x[0], x[-1], min(len(x), 6)):
        place = f'x="{across(value):.1f}" y="{HEIGHT - BOTTOM + 16}"'
        parts.append(f'<text {place} text-anchor="middle">{value:.0f}</text>')
    unit = "frame" if times is None else "ms after the R wave"
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{unit}</text>'
    )
    parts.append(f'<text x="{LEFT - 6}" y="13" text-anchor="end">ml</text>')
    for title, frame in (marks or {}).items():
        parts.append(f'<path class="mark" d="M{across(x[frame]):.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{across(x[frame]):.1f}" y="13" text-anchor="middle">{escape(title)}</text>')
    for name, label in SHOWN.items():
        colour = "#{:02x}{:02x}{:02x}".format(*COLOURS[label])
        for values, dash in ((volumes, ""), (stack_volumes, ' stroke-dasharray="5 4"')):
            if len(values) == len(x):
                line = " ".join(
                    f"{across(when):.1f},{up(value[name]):.1f}" for when, value in zip(x, values, strict=True)
                )
                parts.append(f'<polyline points="{line}" stroke="{colour}"{dash}/>')
    title = f"Volumes of the {TITLES[LVC]} and the {TITLES[RVC]} over {len(x)} frames"
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title>{''.join(parts)}</svg>"
    )
