"""What the voxels themselves say against their header: that an image is a label map, or that its slices are
frames of a cine.
"""

from __future__ import annotations

import numpy as np

from ..core.errors import InputError
from ..core.stack import Stack

MOST_LABELS = 16
"""Different values of a label map, background included. An 8-bit picture has a hundred and more."""
WHOLE = 1e-3
"""A value this close to a whole number is that number."""
THICK_GAP_MM = 4.0
"""Slices nearer to each other than this may look as alike as two frames do."""
FAR_MM = 30.0
"""Slices this far apart never look alike."""
ALIKE_NEIGHBOURS, ALIKE = 0.3, 0.6
"""Root-mean-square difference of two images over their standard deviation, below which neighbouring slices,
and slices FAR_MM apart, must be frames of one slice. In ACDC's stacks (50, every fourth patient) neighbouring
slices differ by 0.51 to 1.08, the ends by 1.24 to 1.43, end-diastole and end-systole of a slice by 0.13 to
0.43, neighbouring frames by 0.1.
"""
SWAPPED = 0.75
"""Slices are frames where neighbours along them differ less than this share of what frames differ by; in
ACDC's stacks, of two frames as different as can be, it is 1.2 or more.
"""
BLOCK = 1 << 16
"""Voxels that are looked at together."""
LEAST_PIXELS = 32
"""Of a side of an image that can be told from another."""
SAMPLED = 64
"""Pixels along a side at which images are compared."""


def is_label_map(voxels: np.ndarray) -> bool:
    """Whether voxels, of any shape, are labels: two or more, but few whole values, the lowest of them 0."""
    values: set[float] = set()
    flat = voxels.reshape(-1)
    for start in range(0, flat.size, BLOCK):  # most images are told by their beginning
        block = flat[start : start + BLOCK]
        whole = np.rint(block)
        if block.dtype.kind == "f" and not (np.abs(block - whole) <= WHOLE).all():
            return False
        values |= set(np.unique(whole).tolist())
        if len(values) > MOST_LABELS or min(values) < 0:
            return False
    return len(values) > 1 and 0 in values


def check_is_image(stack: Stack) -> None:
    """Raise InputError for a label map."""
    if is_label_map(stack.frames):
        raise InputError(
            "The image holds only a few different whole values, as a label map does; give the image that "
            "it was drawn on, and the labels by --labels."
        )


FEW_FRAMES = 3
"""So few frames of a beat may differ by as much as slices do."""


def check_axes(stack: Stack) -> None:
    """Raise InputError where the slices of a stack look like the frames of a cine.

    Frames of one slice differ little, first and last included; slices of a heart differ by more the further
    apart they are. It is told only of slices that are far enough apart to differ.
    """
    frames = stack.frames[:, :, :: _stride(stack.frames.shape[2]), :: _stride(stack.frames.shape[3])]
    count = len(stack.origins)
    if count < 2 or stack.gaps.min() < THICK_GAP_MM or min(stack.frames.shape[2:]) < LEAST_PIXELS:
        return
    neighbours = _difference(frames[:, 1:], frames[:, :-1])
    ends = _difference(frames[:, -1:], frames[:, :1])
    if len(frames) > FEW_FRAMES:
        between_frames = _difference(frames[1:], frames[:-1])
        if ends < ALIKE and neighbours < SWAPPED * between_frames:
            raise InputError(
                "Neighbouring slices of the image are more alike than its frames: slices and frames seem to "
                "have changed places, time lying in the third dimension; export the file with time in the "
                "fourth."
            )
    # Beyond FAR_MM two slices may be alike only if frames of several slices lie behind each other.
    lags = range(1, count)
    far = [lag for lag in lags if np.min(stack.positions[lag:] - stack.positions[:-lag]) >= FAR_MM]
    alike = any(0 < _difference(frames[:1, lag:], frames[:1, :-lag]) < ALIKE for lag in far)
    if alike or (count > 2 and 0 < neighbours < ALIKE_NEIGHBOURS):
        raise InputError(
            "Slices of the image that should lie far apart are as alike as frames of one slice are: the "
            "third dimension seems to hold frames in time; give a file with slices in the third dimension "
            "and frames in the fourth."
        )


def _stride(size: int) -> int:
    return max(1, size // SAMPLED)


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    """Median over pairs of images (..., H, W) of their root-mean-square difference over the deviation."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    apart = np.sqrt(np.square(one - other).mean((-2, -1)))
    deviation = np.sqrt((one.var((-2, -1)) + other.var((-2, -1))) / 2)
    shown = deviation > 0
    return float(np.median(apart[shown] / deviation[shown])) if shown.any() else np.inf
