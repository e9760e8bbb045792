"""Every slice of a stack with the outlines found in it, and the contour points drawn there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...anatomy.cuts import outlines
from ...anatomy.long_axis_views import box
from ...core.intensity import grey_limits
from ...core.labels import BACKGROUND
from ...core.stack import Stack
from .drawing import Drawing
from .panels import Panel, PanelGrid, draw_panels

ACROSS = 6
MARGIN_MM = 25.0
CAPTION = "{title}: every short-axis slice with the outlines of its labels{points}."


def outline_drawing(
    name: str,
    title: str,
    stack: Stack,
    labels: np.ndarray,
    points: Sequence[Mapping[int, np.ndarray]],
) -> Drawing:
    """Labels (S, H, W) of a stack of one frame; points: a slice each, (N, 3) LPS mm by label."""
    caption = CAPTION.format(title=title, points=", and contour points as dots" if any(points) else "")
    return Drawing(name, caption, lambda: draw_panels(outline_grid(stack, labels, points)))


def outline_grid(stack: Stack, labels: np.ndarray, points: Sequence[Mapping[int, np.ndarray]]) -> PanelGrid:
    """The slices in the stack's order, ACROSS in a row, zoomed on the heart."""
    low, high = box((labels != BACKGROUND).any(0), MARGIN_MM / min(stack.spacing))
    crop = slice(low[0], high[0]), slice(low[1], high[1])
    panels: list[Panel | None] = []
    for index, image in enumerate(stack.frames[0]):
        black, white = grey_limits(image[crop])
        dots = {label: stack.plane(index).indices(where) - low for label, where in points[index].items()}
        panels.append(
            Panel(
                np.clip((image[crop] - black) / (white - black), 0, 1),
                stack.spacing,
                lines=outlines(labels[index][crop]),
                points=dots,
                text=f"slice {index + 1}",
            )
        )
    across = min(ACROSS, len(panels))
    panels += [None] * (-len(panels) % across)
    rows = tuple(tuple(panels[at : at + across]) for at in range(0, len(panels), across))
    return PanelGrid(rows, ("",) * across, ("",) * len(rows), points="contour points" if any(points) else "")
