"""The paper's Fig. 3: slices as acquired and as regenerated, their labels, and the heart these make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...anatomy.cuts import outlines, outlines_on_plane
from ...anatomy.distance_interpolation import End, apical_end, heart_areas
from ...anatomy.long_axis import long_axis
from ...anatomy.long_axis_views import View, box, long_axis_views
from ...core.errors import InputError
from ...core.labels import BACKGROUND, LVC
from ...output.surface_picture import surface_image
from ...reconstruction.options import Options
from ...reconstruction.pipeline import reconstruct
from ...reconstruction.result import Reconstruction
from ..compared_cuts import Lines
from ..generation import Regenerated
from ..metrics import dice
from .drawing import Drawing
from .panels import Panel, PanelGrid, draw_panels
from .style import SURFACE_COLOURS, title_of

ROWS = {"base": 0.15, "mid": 0.5, "apex": 0.85}
"""Which slices are shown, as parts of the way through those with a left ventricle."""
MARGIN_MM = 18.0
CAPTION = (
    "{title}: slices as acquired and as each method regenerates them; white: the experts' outlines, colour: "
    "the segmenter's in each image, with Dice of all labels in the slice. Below: the labels of all slices "
    "joined by shape interpolation, cut along the 4-chamber plane, and in 3D from the same side."
)


def slice_drawing(name: str, title: str, item: Regenerated) -> Drawing:
    """title: what the caption begins with: the case and how it was chosen."""
    return Drawing(name, CAPTION.format(title=title), lambda: draw_panels(slice_grid(item)))


def slice_grid(item: Regenerated) -> PanelGrid:
    """Base, middle and apex, each method's image without and with labels; then the long-axis cut and 3D."""
    methods = tuple(item.images)
    spacing = item.stack.spacing
    low, high = box((item.true != BACKGROUND).any(0), MARGIN_MM / min(spacing))
    crop = slice(low[0], high[0]), slice(low[1], high[1])
    rows: list[tuple[Panel | None, ...]] = []
    for index in chosen_slices(item):
        row: list[Panel | None] = []
        reference = outlines(item.true[index][crop])
        for method in methods:
            image, labels = item.images[method][index][crop], item.labels[method][index][crop]
            score = dice(item.labels[method][index] > 0, item.true[index] > 0)
            row += [
                Panel(image, spacing),
                Panel(image, spacing, lines=outlines(labels), reference=reference, text=f"{score:.2f}"),
            ]
        rows.append(tuple(row))
    titles = tuple(ROWS)
    if (last := _long_axis_row(item)) is not None:
        rows.append(last)
        titles = (*titles, "4-chamber, 3D")
    columns = tuple(text for method in methods for text in (title_of(method), "with labels"))
    return PanelGrid(tuple(rows), columns, titles, reference="experts")


def chosen_slices(item: Regenerated) -> list[int]:
    """The slices for ROWS, from base to apex, among those in which the experts drew a left cavity, or else
    anything.
    """
    cavity = item.true == LVC
    shown = np.flatnonzero((cavity if cavity.any() else item.true != BACKGROUND).any((1, 2)))
    if apical_end(heart_areas(item.true), item.stack.positions) is End.FIRST:
        shown = shown[::-1]
    return [int(shown[round(part * (len(shown) - 1))]) for part in ROWS.values()]


def _long_axis_row(item: Regenerated) -> tuple[Panel | None, ...] | None:
    """None where the experts' labels do not tell where the long axis lies, or no method has any labels."""
    true = _joined(item, item.original, item.true)
    try:
        axis = long_axis(true.labels[0], true.grid)
    except InputError:
        return None
    views = long_axis_views(axis, (), true.labels[0] != BACKGROUND, true.grid, MARGIN_MM / 2)
    (view,) = (view for view in views if view.name == "4ch")
    reference = outlines_on_plane(true.labels[0], true.grid, view.plane)
    row: list[Panel | None] = []
    for method, images in item.images.items():
        if not item.labels[method].any():
            row += [None, None]
            continue
        made = _joined(item, images, item.labels[method])
        row += _pair(made, view, reference)
    return tuple(row) if any(row) else None


def _joined(item: Regenerated, images: np.ndarray, labels: np.ndarray) -> Reconstruction:
    """A heart of the slices (S, H, W) and their labels, by shape interpolation."""
    stack = replace(item.stack, frames=images[None])
    return reconstruct(stack, None, Options(method="shape", frame=0), labels=labels[None])


def _pair(made: Reconstruction, view: View, reference: Lines) -> list[Panel]:
    """The long-axis cut, and the surfaces from the same side."""
    plane, labels = view.plane, made.labels[0]
    image = made.grid.sample(made.volume[0], plane.points())
    return [
        Panel(image, plane.spacing, lines=outlines_on_plane(labels, made.grid, plane), reference=reference),
        Panel(surface_image(labels, made.grid, plane, SURFACE_COLOURS), plane.spacing),
    ]
