"""Bland-Altman plots: differences between two ways of measuring over their mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..summary import LIMITS_SD, Row, Table, cell
from .drawing import Drawing, new_figure
from .style import INK, NORMAL, SMALL, SOFT, colour_of, tidy_axes, title_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 4
PANEL = 2.5, 2.3
CAPTION = (
    "{title}, {method}: difference (measured minus reference) over the mean of both, a dot a patient. "
    "Solid line: bias; dashed lines: 95 % limits of agreement (Bland and Altman 1986)."
)


def agreement_drawings(table: Table) -> list[Drawing]:
    """One figure a method of an agreement table, with a panel for each number."""
    methods = dict.fromkeys(row.group[1] for row in table.rows)
    return [_drawing(table, method, index) for index, method in enumerate(methods)]


def _drawing(table: Table, method: str, index: int) -> Drawing:
    panels: dict[str, list[Row]] = {}
    for row in table.rows:
        if row.group[1] == method:
            panels.setdefault(row.group[0], []).append(row)
    return Drawing(
        f"agreement-{method.replace(' ', '-')}",
        CAPTION.format(title=table.title, method=title_of(method)),
        lambda: _draw(panels, colour_of(method, index)),
    )


def _draw(panels: dict[str, list[Row]], colour: str) -> Figure:
    across = min(len(panels), ACROSS)
    down = -(-len(panels) // across)
    figure = new_figure(across * PANEL[0], down * PANEL[1])
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    for number, (name, rows) in enumerate(panels.items()):
        _draw_panel(figure.add_subplot(down, across, number + 1), name, rows, colour)
    return figure


def _draw_panel(axes, name: str, rows: list[Row], colour: str) -> None:
    quantity, unit = name.split(", ")
    means = [(row.values["measured"] + row.values["reference"]) / 2 for row in rows]
    differences = [row.values["difference"] for row in rows]
    summary = cell(rows, "difference")
    axes.axhline(0, color=SOFT, linewidth=0.7, linestyle=":")
    axes.plot(
        means, differences, "o", color=colour, markersize=4, alpha=0.8, markeredgecolor="white", mew=0.4
    )
    lines = [(summary.mean, "-")]
    if np.isfinite(summary.sd):
        lines += [(summary.mean + side * LIMITS_SD * summary.sd, "--") for side in (-1, 1)]
    for value, dash in lines:
        axes.axhline(value, color=INK, linewidth=0.9, linestyle=dash)
        axes.annotate(
            f"{value:+.1f}".replace("-", "\N{MINUS SIGN}"),
            (1.0, value),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=SMALL,
            color=INK,
            va="center",
            annotation_clip=False,
        )
    shown = [*differences, *(value for value, _ in lines), 0.0]
    margin = max(0.12 * (max(shown) - min(shown)), 0.5)
    axes.set_ylim(min(shown) - margin, max(shown) + margin)
    axes.set_title(quantity, fontsize=NORMAL, color=INK, loc="left", fontweight="bold")
    axes.set_xlabel(f"mean, {unit}", fontsize=SMALL, color=INK)
    axes.set_ylabel(f"difference, {'points' if unit == '%' else unit}", fontsize=SMALL, color=INK)
    tidy_axes(axes)
