"""Pictures of the heart in rows and columns, all in true proportion and at one scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...core.labels import NAMES
from ..compared_cuts import Lines
from .drawing import new_figure
from .style import INK, LABEL_COLOURS, NORMAL, SMALL

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

GAP, LINE, LEFT, BOTTOM = 0.04, 0.18, 0.3, 0.34
"""Inches between the panels, of a line of the columns' titles, and for the rows' titles and the key."""
WIDEST = 1.55
BAR_MM = 20
WHITE_LINE = "#ffffff"


@dataclass(frozen=True)
class Panel:
    """One picture, (H, W) pixels of ``spacing`` (x, y) mm.

    image: (H, W) grey, 0 black and 1 white, or (H, W, 3) in colour. labels: (H, W), filled with colour where
    they are not 0. lines: outlines in colour. reference: outlines in white, of the experts or of the exact
    truth. points: dots in colour, label -> (N, 2) [row, column]. text: in the upper left corner.
    """

    image: np.ndarray
    spacing: tuple[float, float]
    labels: np.ndarray | None = None
    lines: Lines = field(default_factory=dict)
    reference: Lines = field(default_factory=dict)
    points: Mapping[int, np.ndarray] = field(default_factory=dict)
    text: str = ""

    @property
    def size_mm(self) -> tuple[float, float]:
        """(x, y)."""
        height, width = self.image.shape[:2]
        return width * self.spacing[0], height * self.spacing[1]


def filled(labels: np.ndarray, spacing: tuple[float, float], text: str = "") -> Panel:
    """Labels (H, W) alone, in colour on black."""
    return Panel(np.zeros(labels.shape), spacing, labels=labels, text=text)


@dataclass(frozen=True)
class PanelGrid:
    """Panels in rows, under the ``columns``' headings and beside the rows' ``titles``.

    None leaves a place empty. reference, points: what the white outlines and the dots are, for the key; empty
    where there are none.
    """

    rows: tuple[tuple[Panel | None, ...], ...]
    columns: tuple[str, ...]
    titles: tuple[str, ...]
    reference: str = ""
    points: str = ""


def draw_panels(grid: PanelGrid) -> Figure:
    """The grid as a figure; its widest panel is WIDEST inches wide."""
    shown = [panel for row in grid.rows for panel in row if panel is not None]
    scale = WIDEST / max(panel.size_mm[0] for panel in shown)
    widths = [
        max((panel.size_mm[0] for panel in column if panel is not None), default=0) * scale
        for column in zip(*grid.rows, strict=True)
    ]
    heights = [max(panel.size_mm[1] for panel in row if panel is not None) * scale for row in grid.rows]
    lines = max(heading.count("\n") + 1 for heading in grid.columns) if any(grid.columns) else 0
    top, left = 0.1 + LINE * lines, LEFT if any(grid.titles) else GAP
    width = left + sum(widths) + GAP * len(widths)
    height = top + sum(heights) + GAP * len(heights) + BOTTOM
    figure = new_figure(width, height)

    def write(x: float, y: float, text: str, **options) -> None:
        figure.text(x / width, y / height, text, ha="center", fontsize=NORMAL, color=INK, **options)

    lefts = left + np.cumsum([0, *widths[:-1]]) + GAP * np.arange(len(widths))
    bottoms = height - top - np.cumsum(heights) - GAP * np.arange(len(heights))
    for x, wide, heading in zip(lefts, widths, grid.columns, strict=True):
        write(x + wide / 2, height - top + 0.06, heading, va="bottom")
    for row, title, y, tall in zip(grid.rows, grid.titles, bottoms, heights, strict=True):
        write(left / 2, y + tall / 2, title, va="center", rotation=90)
        for number, (panel, x, wide) in enumerate(zip(row, lefts, widths, strict=True)):
            if panel is None:
                continue
            mine = [side * scale for side in panel.size_mm]
            corner = x + (wide - mine[0]) / 2, y + (tall - mine[1]) / 2
            place = corner[0] / width, corner[1] / height, mine[0] / width, mine[1] / height
            _draw_panel(figure.add_axes(place), panel, bar=number == 0)
    _draw_key(figure, grid)
    return figure


def _draw_panel(axes, panel: Panel, bar: bool) -> None:
    """Coordinates are mm from the upper left pixel's outer corner."""
    width, height = panel.size_mm
    options = {"extent": (0, width, height, 0), "aspect": "auto"}
    axes.imshow(panel.image, cmap="gray", vmin=0, vmax=1, interpolation="bicubic", **options)
    if panel.labels is not None:
        axes.imshow(_coloured(panel.labels), interpolation="nearest", **options)
    for label, lines in panel.lines.items():
        for line in lines:
            axes.plot(*_mm(line, panel), color=LABEL_COLOURS[label], linewidth=1.1, solid_joinstyle="round")
    for lines in panel.reference.values():
        for line in lines:
            axes.plot(*_mm(line, panel), color=WHITE_LINE, linewidth=0.7, linestyle=(0, (3, 2)))
    for label, points in panel.points.items():
        axes.plot(
            *_mm(points, panel),
            "o",
            color=LABEL_COLOURS[label],
            markersize=2.2,
            markeredgecolor="black",
            markeredgewidth=0.25,
        )
    if panel.text:
        axes.text(
            0.03,
            0.97,
            panel.text,
            transform=axes.transAxes,
            color="white",
            fontsize=SMALL,
            va="top",
            ha="left",
        )
    if bar:
        start, y = 0.05 * width, 0.94 * height
        axes.plot([start, start + BAR_MM], [y, y], color="white", linewidth=1.6, solid_capstyle="butt")
        axes.text(start, y - 0.025 * height, f"{BAR_MM} mm", color="white", fontsize=6)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()


def _mm(points: np.ndarray, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """x and y in mm of [row, column] points in pixels, whose centres are whole numbers."""
    return (points[:, 1] + 0.5) * panel.spacing[0], (points[:, 0] + 0.5) * panel.spacing[1]


def _coloured(labels: np.ndarray) -> np.ndarray:
    """(H, W, 4) the labels' colours, clear where there is none."""
    from matplotlib.colors import to_rgba

    out = np.zeros((*labels.shape, 4))
    for label, colour in LABEL_COLOURS.items():
        out[labels == label] = to_rgba(colour)
    return out


def _draw_key(figure: Figure, grid: PanelGrid) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.patheffects import Normal, Stroke

    handles: list[Artist] = [
        Patch(facecolor=LABEL_COLOURS[label], edgecolor=INK, linewidth=0.4, label=name)
        for label, name in NAMES.items()
    ]
    if grid.reference:
        edge = [Stroke(linewidth=2.2, foreground=INK), Normal()]
        handles.append(
            Line2D(
                [],
                [],
                color="white",
                linewidth=1.2,
                linestyle=(0, (2, 1)),
                path_effects=edge,
                label=grid.reference,
            )
        )
    if grid.points:
        handles.append(
            Line2D([], [], color=LABEL_COLOURS[1], marker="o", linestyle="", markersize=4, label=grid.points)
        )
    figure.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=len(handles),
        fontsize=SMALL,
        frameon=False,
        borderaxespad=0.4,
    )
