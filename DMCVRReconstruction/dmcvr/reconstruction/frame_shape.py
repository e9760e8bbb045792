"""The heart's shape in one frame: all of it where a network completes it, else between the slices."""

from __future__ import annotations

import numpy as np

from ..core.stack import Stack
from ..model.inference import Model
from .shape_between_slices import ShapeBetweenSlices
from .whole_shape import WholeShape, whole_shape

FrameShape = WholeShape | ShapeBetweenSlices
NO_REACH, REACH = 0.5, 1.0
"""How many gaps beyond the stack an apex may lie: for which an end slice stands, and with extrapolation."""


def frame_shape(stack: Stack, labels: np.ndarray, model: Model | None, *, extrapolate: bool) -> FrameShape:
    """The shape of one frame's labels (S, H, W).

    stack: straight. model: what has been learned of shapes; None for the straight line between slices.
    extrapolate: whether the apex may lie up to a gap beyond the stack.
    """
    if model is not None and model.shape is not None:
        reach = REACH if extrapolate else NO_REACH
        whole = whole_shape(model.complete_shape, labels, stack.positions, stack.spacing, reach=reach)
        if whole is not None:
            return whole
    return ShapeBetweenSlices(stack, labels)
