"""What an image must fulfil before anything is computed from it."""

from __future__ import annotations

import numpy as np

from ..core.errors import InputError
from ..core.intensity import field_scale
from ..core.stack import Stack
from .content import check_axes, check_is_image

IN_PLANE_MM = (0.1, 10.0)
GAP_MM = (0.1, 40.0)
LONGEST_MM = 400.0
SHORTEST_MM = 40.0
"""Of a stack with voxels of 1 mm."""
MOST_VOXELS = 2**29
"""Of all frames together, 2 GiB as float32: twice 512 x 512 pixels in 20 slices and 50 frames."""


def check_size(voxels: float, what: str = "image") -> None:
    """Raise InputError, before any memory is asked for, where an image has more than MOST_VOXELS voxels."""
    if voxels > MOST_VOXELS:
        raise InputError(
            f"The {what} has {voxels / 1e6:.0f} million voxels in all its frames, more than the "
            f"{MOST_VOXELS / 1e6:.0f} million that are read; crop it to the heart, or give fewer frames."
        )


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
    gaps, length = stack.gaps, stack.positions[-1]
    if length > LONGEST_MM:
        raise InputError(
            f"The {len(gaps) + 1} slices are {length:.0f} mm long together, which no heart is; if they are "
            "frames of a cine, give a file with four dimensions, and else crop the image."
        )
    if len(gaps) and length < SHORTEST_MM and np.allclose([*spacing, *gaps], 1, rtol=0, atol=1e-6):
        raise InputError(
            f"The voxels are 1 x 1 x 1 mm and all slices together {length:.0f} mm, as in a file that does "
            "not say its spacing; write the true spacing into it."
        )
    if len(gaps) and (gaps.min() < GAP_MM[0] or gaps.max() > GAP_MM[1]):
        raise InputError(
            f"The slices are {gaps.min():.3g} to {gaps.max():.3g} mm apart, which is not a short-axis stack; "
            "check the slice spacing in the file."
        )
    if not np.isfinite(stack.frames).all():
        raise InputError("The image holds values that are not numbers (NaN or infinity); export it again.")
    if stack.frames.size == 0 or stack.frames.min() == stack.frames.max():
        raise InputError("All pixels of the image have the same value; check that the right file was chosen.")
    check_is_image(stack)
    if (stack.frames < 0).mean() > 0.01:
        bright = field_scale(stack.frames)
        if (stack.frames < -0.5 * bright).mean() > 0.01:
            raise InputError(
                "Many values of the image are far below zero, as in CT, in phase images and where numbers of "
                "16 bits ran over, but not in cine MR; give the magnitude images as the scanner made them."
            )
    check_axes(stack)
