"""The paper's Fig. 4: reconstructions on long-axis planes, beside the images there."""

from __future__ import annotations

from collections.abc import Sequence

from ..compared_cuts import Cut
from .drawing import Drawing
from .panels import Panel, PanelGrid, draw_panels, filled
from .style import title_of

CAPTION = "{title}: every method's image and labels on long-axis planes{real}."


def view_drawing(name: str, title: str, cuts: Sequence[Cut]) -> Drawing:
    """title: what the caption begins with: the case and how it was chosen."""
    real = ""
    if any(cut.real is not None for cut in cuts):
        real = "; on the right the image acquired there, alone and under the last method's outlines"
        real += ", white: the exact truth" if any(cut.truth for cut in cuts) else ""
        real += ", dots: the given contour points" if any(cut.points for cut in cuts) else ""
    return Drawing(name, CAPTION.format(title=title, real=real), lambda: draw_panels(view_grid(cuts)))


def view_grid(cuts: Sequence[Cut]) -> PanelGrid:
    """A row a plane; each method's image and labels, and the real image without and with outlines."""
    methods = list(cuts[0].images)
    columns = [text for method in methods for text in (f"{title_of(method)}\nimage", "labels")]
    with_real = any(cut.real is not None for cut in cuts)
    if with_real:
        columns += ["Long-axis\nimage", f"outlines of\n{title_of(methods[-1])}"]
    rows = []
    for cut in cuts:
        row: list[Panel | None] = []
        for method in methods:
            row += [Panel(cut.images[method], cut.spacing), filled(cut.labels[method], cut.spacing)]
        if cut.real is not None:
            lined = Panel(cut.real, cut.spacing, lines=cut.outlines, reference=cut.truth, points=cut.points)
            row += [Panel(cut.real, cut.spacing), lined]
        elif with_real:
            row += [None, None]
        rows.append(tuple(row))
    return PanelGrid(
        tuple(rows),
        tuple(columns),
        tuple(cut.name for cut in cuts),
        reference="truth" if any(cut.truth for cut in cuts) else "",
        points="contour points" if any(cut.points for cut in cuts) else "",
    )
