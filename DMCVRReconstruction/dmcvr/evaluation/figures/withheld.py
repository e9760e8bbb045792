"""Withheld slices as acquired beside what the methods make of them, and the power spectra of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...anatomy.cuts import outlines
from ...anatomy.long_axis_views import box
from ...core.labels import BACKGROUND
from ..metrics import dice
from ..spectra import power_spectrum
from ..withheld import ACQUIRED, Withheld
from .drawing import Drawing, new_figure
from .panels import Panel, PanelGrid, draw_panels
from .style import INK, NORMAL, colour_of, tidy_axes, title_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 4
MARGIN_MM = 18.0
CAPTION = (
    "{title}: withheld slices as acquired and as each method makes them from their neighbours; white: the "
    "experts' outlines, colour: the method's labels, with their Dice in the slice."
)
SPECTRA = (
    "Power spectra of the withheld slices of {cases}, as acquired and as made by each method, in the square "
    "of 192 mm about the heart: how sharp they are."
)


def withheld_drawing(name: str, title: str, item: Withheld) -> Drawing:
    """title: what the caption begins with: the case and how it was chosen."""
    return Drawing(name, CAPTION.format(title=title), lambda: draw_panels(withheld_grid(item)))


def spectra_drawing(items: Sequence[Withheld]) -> Drawing:
    """Of all withheld slices of ``items`` together."""
    cases = ", ".join(item.case.name for item in items)
    return Drawing("spectra", SPECTRA.format(cases=cases), lambda: _draw_spectra(items))


def withheld_grid(item: Withheld) -> PanelGrid:
    """A row a slice, at most SHOWN of those with a heart, evenly spread; a column a method."""
    true = item.labels[ACQUIRED]
    hearts = np.flatnonzero((true != BACKGROUND).any((1, 2)))
    chosen = hearts[np.linspace(0, len(hearts) - 1, min(SHOWN, len(hearts))).round().astype(int)]
    low, high = box((true != BACKGROUND).any(0), MARGIN_MM / min(item.spacing))
    crop = slice(low[0], high[0]), slice(low[1], high[1])
    rows = []
    for index in chosen:
        reference, row = outlines(true[index][crop]), []
        for method, images in item.images.items():
            image = images[index][crop]
            row.append(Panel(image, item.spacing))
            if method == ACQUIRED:
                row.append(Panel(image, item.spacing, reference=reference))
                continue
            labels = item.labels[method][index]
            score = f"{dice(labels > 0, true[index] > 0):.2f}"
            drawn = outlines(labels[crop])
            row.append(Panel(image, item.spacing, lines=drawn, reference=reference, text=score))
        rows.append(tuple(row))
    columns = tuple(text for method in item.images for text in (title_of(method), ""))
    titles = tuple(f"slice {2 * index + 2}" for index in chosen)
    return PanelGrid(tuple(rows), columns, titles, reference="experts")


def _draw_spectra(items: Sequence[Withheld]) -> Figure:
    figure = new_figure(5.6, 3.6)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    for number, method in enumerate(items[0].images):
        spectra = [
            power_spectrum(item.images[method], item.spacing) for item in items if method in item.images
        ]
        # Stacks differ in their pixels: all are shown up to the lowest of their limits.
        grid = min((frequency for frequency, _ in spectra), key=lambda frequency: frequency[-1])
        mean = np.mean([np.interp(grid, frequency, np.log(power)) for frequency, power in spectra], axis=0)
        colour = INK if method == ACQUIRED else colour_of(method, number)
        axes.plot(grid, np.exp(mean), color=colour, linewidth=1.4, label=title_of(method))
    axes.set_yscale("log")
    axes.set_xlabel("Spatial frequency, cycles/mm", fontsize=NORMAL)
    axes.set_ylabel("Power", fontsize=NORMAL)
    axes.legend(fontsize=NORMAL, frameon=False)
    tidy_axes(axes)
    return figure
