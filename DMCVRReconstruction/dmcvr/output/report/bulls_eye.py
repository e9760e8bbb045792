"""The bull's eye: the left ventricle's 17 segments seen from the apex, base outside.

Laid out as in Cerqueira et al., Circulation 105:539, 2002, figure 4: anterior above, septum on the left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...anatomy.segments17 import SEGMENTS

RADII = (100.0, 72.0, 44.0, 18.0)
"""Outer radii of base, mid-cavity, apex and apical cap."""
PALE, DEEP = (247, 251, 255), (8, 69, 148)
UNKNOWN = "#c8c8c8"
NOT_KNOWN = "\N{EN DASH}"
DARK, LIGHT = "#10202c", "#ffffff"
LIGHT_TEXT_FROM = 0.55
"""Of the scale: text on what is deeper is light."""


@dataclass(frozen=True)
class Sector:
    """One segment. path: of an SVG drawing whose middle is the apex. x, y: of its ``text``'s middle."""

    title: str
    path: str
    fill: str
    text: str
    text_colour: str
    x: float
    y: float


@dataclass(frozen=True)
class BullsEye:
    """caption: what the numbers are; scale: at which of them colours begin and end."""

    caption: str
    unit: str
    scale: tuple[float, float]
    sectors: tuple[Sector, ...]


def bulls_eye(
    values: Mapping[str, float | None], caption: str, unit: str, scale: tuple[float, float], digits: int = 0
) -> BullsEye:
    """The drawing of ``values`` by segment, None where one is not known."""
    return BullsEye(caption, unit, scale, tuple(_sectors(values, unit, scale, digits)))


def _sectors(
    values: Mapping[str, float | None], unit: str, scale: tuple[float, float], digits: int
) -> list[Sector]:
    out = []
    for index, name in enumerate(SEGMENTS):
        value = values[name]
        share = 0.0 if value is None else min(max((value - scale[0]) / (scale[1] - scale[0]), 0.0), 1.0)
        mixed = (round(a + share * (b - a)) for a, b in zip(PALE, DEEP, strict=True))
        text = NOT_KNOWN if value is None else f"{value:.{digits}f}"
        path, x, y = _shape(index)
        out.append(
            Sector(
                title=f"{name}: {'not known' if value is None else f'{text} {unit}'}",
                path=path,
                fill=UNKNOWN if value is None else "rgb({},{},{})".format(*mixed),
                text=text,
                text_colour=LIGHT if share >= LIGHT_TEXT_FROM else DARK,
                x=x,
                y=y,
            )
        )
    return out


def _shape(index: int) -> tuple[str, float, float]:
    """Path and middle of the segment of number ``index`` + 1."""
    if index == 16:
        radius = RADII[3]
        return (
            f"M{-radius} 0A{radius} {radius} 0 1 1 {radius} 0A{radius} {radius} 0 1 1 {-radius} 0Z",
            0.0,
            0.0,
        )
    ring, place = divmod(index, 6)
    width = 90 if ring == 2 else 60
    middle = 90 + width * place  # degrees, counterclockwise: from above over the left
    outer, inner = RADII[ring], RADII[ring + 1]
    a, b = (math.radians(middle + side * width / 2) for side in (-1, 1))
    corners = [
        (r * math.cos(t), -r * math.sin(t)) for r, t in ((outer, a), (outer, b), (inner, b), (inner, a))
    ]
    one, two, three, four = (f"{x:.2f} {y:.2f}" for x, y in corners)
    path = f"M{one}A{outer} {outer} 0 0 0 {two}L{three}A{inner} {inner} 0 0 1 {four}Z"
    reach, angle = (outer + inner) / 2, math.radians(middle)
    return path, reach * math.cos(angle), -reach * math.sin(angle)
