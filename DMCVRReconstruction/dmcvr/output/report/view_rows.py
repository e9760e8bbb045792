"""The report's pictures: long-axis cuts beside each other, surfaces, and slices from base to apex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image

from ...anatomy.cuts import cut_stack, outlines, outlines_on_plane
from ...anatomy.long_axis import LongAxis
from ...anatomy.long_axis_views import CUT_MM, MARGIN_MM, box, long_axis_views
from ...core.geometry import Plane, sample_plane
from ...core.intensity import grey_limits
from ...core.labels import BACKGROUND
from ...core.stack import Stack
from ..pictures import picture, zoomed
from ..surface_picture import surface_image
from .data import ReportData

CUT_ZOOM = 2.0
TILE_MM = 0.8
MOST_TILES = 40
SURFACE_ZOOM = 2.0
SURFACE_MARGIN_MM = 8.0


@dataclass(frozen=True)
class Panel:
    """One picture; ``alt`` says in words what it shows.

    kind: "acquired" and "generated" of slices; "stack", "plain", "outlined" and "real" of long-axis cuts;
    "surface".
    """

    title: str
    alt: str
    image: Image.Image
    kind: str


@dataclass(frozen=True)
class Row:
    """Pictures of one plane, side by side."""

    title: str
    panels: tuple[Panel, ...]


def lax_rows(data: ReportData, frame: int, axis: LongAxis) -> list[Row]:
    """A row for each of 2ch, 3ch and 4ch about ``axis`` at ``frame``, then one for each further real image.

    Where a real image of a view is given, the whole row lies in that image's plane.
    """
    heart = (data.labels[list(data.phases.values())] != BACKGROUND).any(0)
    return [
        _row(data, frame, view.name or "Further long-axis image", view.plane, view.lax)
        for view in long_axis_views(axis, data.lax, heart, data.grid)
    ]


def _row(data: ReportData, frame: int, title: str, plane: Plane, lax: Stack | None) -> Row:
    limits = grey_limits(data.volume[frame])
    zoom = zoomed(plane.spacing, CUT_ZOOM / CUT_MM)
    contours = outlines_on_plane(data.labels[frame], data.grid, plane)
    stack = cut_stack(data.stack, frame, plane)
    stack_contours = outlines(cut_stack(data.label_stack, frame, plane, order=0))
    volume = data.grid.sample(data.volume[frame], plane.points())
    panels = [
        Panel(
            "Stack as acquired",
            f"{title}: the acquired slices cut lengthwise, each as thick as its gap, with outlines.",
            picture(stack, limits, zoom, stack_contours),
            "stack",
        ),
        Panel(
            "Reconstruction",
            f"{title}: cut through the reconstruction.",
            picture(volume, limits, zoom),
            "plain",
        ),
        Panel(
            "Reconstruction, outlines",
            f"{title}: cut through the reconstruction, with the outlines of its labels.",
            picture(volume, limits, zoom, contours),
            "outlined",
        ),
    ]
    if lax is not None:
        image = sample_plane(data.lax_frame(lax, frame), lax.plane(0), plane)
        panels.append(
            Panel(
                "Real image, outlines of the reconstruction",
                f"{title}: the real long-axis image, with the outlines of the reconstruction over it.",
                picture(image, grey_limits(image), zoom, contours),
                "real",
            )
        )
    return Row(title, tuple(panels))


def surface_panel(data: ReportData, phase: str, frame: int, axis: LongAxis) -> Panel:
    """The ventricles' surfaces from the front: the apex up, the RV on the left, as in the four-chamber view;
    in all phases in the same place and size.
    """
    heart = (data.labels[list(data.phases.values())] != BACKGROUND).any(0)
    plane = axis.apical("4ch", size_mm=300, spacing=CUT_MM)
    seen = plane.indices(data.grid.position(np.argwhere(heart)))
    low = np.floor(seen.min(0) - SURFACE_MARGIN_MM / CUT_MM)
    height, width = np.ceil(seen.max(0) + SURFACE_MARGIN_MM / CUT_MM - low)
    corner = plane.origin + low[0] * plane.step_y + low[1] * plane.step_x
    plane = Plane(corner, plane.step_x, plane.step_y, (int(height), int(width)))
    image = surface_image(data.labels[frame], data.grid, plane, ground=0.0)
    drawn = Image.fromarray((image * 255).round().astype(np.uint8))
    size = round(drawn.width * SURFACE_ZOOM), round(drawn.height * SURFACE_ZOOM)
    return Panel(
        phase or "In 3D",
        f"{phase or 'The heart'} in 3D: both ventricles' cavities, and the left one's muscle about it.",
        drawn.resize(size, Image.Resampling.BICUBIC),
        "surface",
    )


def slice_panels(data: ReportData, frame: int, axis: LongAxis | None) -> list[Panel]:
    """The slices that hold the heart, all acquired ones and as many of the generated as fit.

    From base to apex; in the order of the volume where no ``axis`` is known.
    """
    labels, volume = data.labels[frame], data.volume[frame]
    heart = labels != BACKGROUND
    if not heart.any():
        return []
    limits = grey_limits(volume)
    zoom = zoomed(data.grid.spacing, 1 / TILE_MM)
    low, high = box(heart.any(0), MARGIN_MM / 2 / min(data.grid.spacing[:2]))
    rows, columns = slice(low[0], high[0]), slice(low[1], high[1])
    chosen = choose_slices(data.acquired, heart.any((1, 2)), MOST_TILES)
    panels = []
    base_last = axis is not None and axis.apex @ data.grid.step_z < 0
    for z in chosen[::-1] if base_last else chosen:
        index = data.acquired[z]
        title = f"generated, z {z + 1}" if index is None else f"acquired, slice {index + 1}"
        image = picture(volume[z, rows, columns], limits, zoom, outlines(labels[z, rows, columns]))
        alt = f"Short-axis slice at z {z + 1}, {title.split(',')[0]}, with outlines."
        panels.append(Panel(title, alt, image, "generated" if index is None else "acquired"))
    return panels


def choose_slices(acquired: Sequence[int | None], filled: np.ndarray, most: int) -> list[int]:
    """Slice indices to show, increasing: from the first to the last ``filled`` (Z,), out to acquired ones.

    All acquired slices are among them; the generated ones are thinned evenly, gap by gap, to about ``most``
    in all, but at least one a gap.
    """
    first, last = np.flatnonzero(filled)[[0, -1]]
    real = np.array([z for z, index in enumerate(acquired) if index is not None], int)
    first = max(real[real <= first], default=first)
    last = min(real[real >= last], default=last)
    kept = real[(real >= first) & (real <= last)]
    stops = sorted({int(first), *kept.tolist(), int(last)})
    a_gap = max(1, (most - len(stops)) // max(1, len(stops) - 1))
    chosen = set(stops)
    for a, b in pairwise(stops):
        between = min(a_gap, b - a - 1)
        chosen.update(np.linspace(a, b, between + 2).round().astype(int).tolist())
    return sorted(chosen)
