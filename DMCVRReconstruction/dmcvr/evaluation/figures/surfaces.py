"""Hearts as lit surfaces, side by side: whether they have steps, an apex and a base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...anatomy.long_axis import long_axis
from ...anatomy.long_axis_views import long_axis_views
from ...core.geometry import Grid
from ...core.labels import BACKGROUND
from ...output.surface_picture import surface_image
from .drawing import Drawing
from .panels import Panel, PanelGrid, draw_panels
from .style import SURFACE_COLOURS

SIDES = {"4ch": "from the front", "2ch": "from the side"}
"""The planes onto which hearts are seen, and what the rows are called."""
MARGIN_MM = 18.0
CAPTION = (
    "{title}: the ventricles' surfaces, the cavities through the left one's muscle as through glass, seen "
    "from two sides, the apex up."
)


@dataclass(frozen=True)
class Solid:
    """One heart: what stands above it, and its labels (Z, Y, X) on ``grid``."""

    heading: str
    labels: np.ndarray
    grid: Grid


def surface_drawing(name: str, title: str, solids: Sequence[Solid]) -> Drawing:
    """title: what the caption begins with: the case and how it was chosen. solids: at least one."""
    return Drawing(name, CAPTION.format(title=title), lambda: draw_panels(surface_grid(solids)))


def surface_grid(solids: Sequence[Solid]) -> PanelGrid:
    """A row a side, a column a heart; the sides follow from the last heart's long axis. Raises InputError
    where that shows none.
    """
    last = solids[-1]
    axis = long_axis(last.labels, last.grid)
    views = long_axis_views(axis, (), last.labels != BACKGROUND, last.grid, MARGIN_MM)
    planes = {view.name: view.plane for view in views}
    rows = []
    for side in SIDES:
        plane = planes[side]
        images = [surface_image(item.labels, item.grid, plane, SURFACE_COLOURS) for item in solids]
        rows.append(tuple(Panel(image, plane.spacing) for image in images))
    return PanelGrid(tuple(rows), tuple(item.heading for item in solids), tuple(SIDES.values()))
