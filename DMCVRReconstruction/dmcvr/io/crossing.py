"""Whether a long-axis image crosses the short-axis stack that it is given with."""

from __future__ import annotations

import numpy as np

from ..core.errors import InputError
from ..core.stack import Stack

MOST_PARALLEL = np.cos(np.deg2rad(30))
"""Cosine between the normals beyond which an image is a short-axis slice rather than a long-axis one."""
LEAST_CROSSING_MM = 20.0
"""A long-axis image shows at least this much of the stack's length; a heart is some 80 mm long."""


def check_crossing(image: Stack, stack: Stack) -> None:
    """Raise InputError unless the long-axis ``image`` runs through the ``stack``."""
    if (reason := crossing_fault(image, stack)) is not None:
        raise InputError(f"{reason}; give long-axis images of the same examination.")


def crossing_fault(image: Stack, stack: Stack) -> str | None:
    """Why the long-axis ``image`` cannot belong to the ``stack``, without a full stop; None if it can."""
    if abs(image.normal @ stack.normal) > MOST_PARALLEL:
        return "The long-axis image lies along the short-axis slices instead of crossing them"
    inside, away = [], []
    for index in range(len(image.origins)):
        offset = image.plane(index).points() - stack.origins[0]
        positions = offset @ stack.normal
        height, width = stack.frames.shape[2:]
        beyond = [-positions, positions - stack.positions[-1]]
        for step, size in ((stack.step_x, width), (stack.step_y, height)):
            along = offset @ step / np.linalg.norm(step)
            beyond += [-along, along - (size - 1) * np.linalg.norm(step)]
        out = np.maximum.reduce(beyond)
        away.append(float(out.min()))
        inside.append(positions[out <= 0])
    shown = np.concatenate(inside)
    least = min(LEAST_CROSSING_MM, 0.5 * stack.positions[-1])
    if not len(shown):
        distance = max(min(away), 0.0)
        return f"The long-axis image does not cross the short-axis stack: it lies {distance:.0f} mm away"
    if np.ptp(shown) < least:
        return "The long-axis image hardly touches the short-axis stack"
    return None
