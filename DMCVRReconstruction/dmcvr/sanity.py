"""What an image must fulfil before anything is computed from it."""

from __future__ import annotations

import numpy as np

from .errors import InputError
from .stack import Stack

IN_PLANE_MM = (0.1, 10.0)
GAP_MM = (0.1, 40.0)


def check_stack(stack: Stack, slices: int = 2) -> None:
    """Raise InputError unless ``stack`` is a plausible image of at least ``slices`` slices."""
    if len(stack.origins) < slices:
        raise InputError(
            "The image has only one slice, but a short-axis stack of at least two, better six or more, "
            "parallel slices is needed; slices stored one per file can be given together as a DICOM folder."
        )
    numbers = [stack.origins, stack.step_x, stack.step_y]
    if not all(np.isfinite(number).all() for number in numbers):
        raise InputError("The position of the image in space is not a number; export it again.")
    spacing = stack.spacing
    if min(spacing) < IN_PLANE_MM[0] or max(spacing) > IN_PLANE_MM[1]:
        raise InputError(
            f"The pixel spacing is {spacing[0]:.3g} x {spacing[1]:.3g} mm, which no cardiac image has; "
            "correct the file's spacing."
        )
    if max(spacing) > 3 * min(spacing):
        raise InputError(
            "The pixels are more than three times as long as wide; the slices must lie along the third axis "
            "of the file."
        )
    if abs(stack.step_x @ stack.step_y) > 1e-2 * spacing[0] * spacing[1]:
        raise InputError("The rows and columns of the image are not perpendicular; export it again.")
    gaps = stack.gaps
    if len(gaps) and (gaps.min() < GAP_MM[0] or gaps.max() > GAP_MM[1]):
        raise InputError(
            f"The slices are {gaps.min():.3g} to {gaps.max():.3g} mm apart, which is not a short-axis stack; "
            "check the slice spacing in the file."
        )
    if not np.isfinite(stack.frames).all():
        raise InputError("The image holds values that are not numbers (NaN or infinity); export it again.")
    if stack.frames.size == 0 or stack.frames.min() == stack.frames.max():
        raise InputError("All pixels of the image have the same value; check that the right file was chosen.")
