"""Box plots of a table's scores, case by case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..summary import Column, Table, case_means
from .drawing import Drawing, new_figure
from .style import INK, NORMAL, colour_of, tidy_axes, title_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Scores = dict[str, dict[str, list[float]]]
"""By the entry of the group that stands along the axis, then by the one that is told by colour."""

PANEL_HEIGHT, ACROSS = 2.7, 3
CAPTION = (
    "{title}, case by case. Box: quartiles and median; whiskers: the furthest case within 1.5 times the "
    "height of the box; dots: all cases."
)


def box_drawing(table: Table) -> Drawing | None:
    """A panel for each of the table's columns that are to be drawn, or for all where it marks none.

    None if no row has a score in one of these, or the table's keys are not two. Structures, or else the first
    entries of the groups, stand along the panels' axis, and the other entry of the group beside each other in
    colour.
    """
    if len(table.keys) != 2:  # nothing to put beside each other, or too much for one picture
        return None
    columns = [column for column in table.columns if column.drawn] or table.columns
    panels = {column: found for column in columns if (found := scores(table, column))}
    if not panels:
        return None
    return Drawing("boxes", CAPTION.format(title=table.title), lambda: _draw(panels))


def scores(table: Table, column: Column) -> Scores:
    """The cases' finite scores; what is empty is left out."""
    along = table.keys.index("structure") if "structure" in table.keys else 0
    found: Scores = {}
    for group in dict.fromkeys(row.group for row in table.rows):
        means = case_means((row for row in table.rows if row.group == group), column.name)
        if values := [value for value in means.values() if np.isfinite(value)]:
            found.setdefault(group[along], {})[group[1 - along]] = values
    return found


def _draw(panels: dict[Column, Scores]) -> Figure:
    names = list(
        dict.fromkeys(name for found in panels.values() for place in found.values() for name in place)
    )
    places = max(len(found) for found in panels.values())
    across = min(len(panels), ACROSS)
    down = -(-len(panels) // across)
    width = max(2.6, 0.6 + 0.2 * places * (len(names) + 1))
    figure = new_figure(across * width, down * PANEL_HEIGHT + 0.35)
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    for number, (column, found) in enumerate(panels.items()):
        axes = figure.add_subplot(down, across, number + 1)
        _draw_panel(axes, column, found, names)
        # One width of a box in all panels, however few places one has.
        middle = (len(found) - 1) / 2
        axes.set_xlim(middle - places / 2 - 0.05, middle + places / 2 + 0.05)
    figure.legend(
        handles=[_patch(name, index) for index, name in enumerate(names)],
        loc="outside upper left",
        ncols=min(len(names), max(2, int(across * width // 1.3))),
        fontsize=NORMAL,
        frameon=False,
    )
    return figure


def _patch(name: str, index: int):
    from matplotlib.patches import Patch

    return Patch(facecolor=colour_of(name, index), edgecolor=INK, linewidth=0.6, label=title_of(name))


def _draw_panel(axes, column: Column, found: Scores, names: list[str]) -> None:
    shown = [name for name in names if any(name in place for place in found.values())]
    step = 0.84 / len(names)
    for x, place in enumerate(found.values()):
        for index, name in enumerate(shown):
            if name in place:
                colour = colour_of(name, names.index(name))
                _draw_box(axes, x + (index - (len(shown) - 1) / 2) * step, 0.78 * step, place[name], colour)
    axes.set_xticks(range(len(found)), found)
    axes.set_ylabel(column.drawn or column.name, fontsize=NORMAL, color=INK)
    tidy_axes(axes)
    axes.tick_params(axis="x", length=0, labelsize=NORMAL)


def _draw_box(axes, middle: float, width: float, values: list[float], colour: str) -> None:
    thin = {"color": INK, "linewidth": 0.7}
    axes.boxplot(
        [values],
        positions=[middle],
        widths=width,
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": colour, "edgecolor": INK, "linewidth": 0.7, "alpha": 0.75},
        medianprops={"color": INK, "linewidth": 1.4},
        whiskerprops=thin,
        capprops=thin,
        manage_ticks=False,
    )
    spread = np.random.default_rng(0).uniform(-0.3, 0.3, len(values)) * width
    axes.plot(
        middle + spread,
        values,
        "o",
        color=colour,
        markersize=3,
        markeredgecolor=INK,
        markeredgewidth=0.4,
        zorder=3,
    )
