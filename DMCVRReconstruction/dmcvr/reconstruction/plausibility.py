"""Whether labels and image look like what the model knows: a heart, in short-axis slices of a cine MR.

Each check gives plain sentences. The bounds lie beyond what the experts' labels of ACDC's patients 001-100
(200 stacks) show in all but a few of these.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..anatomy.function import stack_volumes_ml
from ..core.labels import LVC, LVM, NAMES, RVC
from ..core.stack import Stack

PLAUSIBLE_ML = {"LVC": (5, 500), "LVM": (20, 450), "RVC": (5, 500)}
"""In the experts' labels LVC has 19 to 374 ml, LVM 33 to 298, RVC 10 to 295."""
LARGEST_SHIFT_MM = 12.0
"""What one slice's left ventricle may lie off the line through its neighbours'. In the experts' labels it is
3.0 mm in the median stack, at most 9.5 in 95 of 100. Of slices far apart, as much as they are apart.
"""
LARGEST_SWAP = 0.5
"""Share of one slice's LVC that may be RVC in the next; experts' labels: at most 0.32 in 99 of 100 stacks."""
LEAST_CONTRAST = 1.2
"""Blood over muscle, medians; 1.37 or more in 99 of 100 stacks."""


def plausibility_warnings(stack: Stack, labels: Mapping[int, np.ndarray]) -> list[str]:
    """What is odd about the labels (S, H, W) of frames of a straightened stack: a sentence each, once for all
    frames.
    """
    return [*_volumes(stack, labels), *_shifts(stack, labels), *_swaps(labels), *_contrast(stack, labels)]


def _volumes(stack: Stack, labels: Mapping[int, np.ndarray]) -> list[str]:
    area, messages = float(np.prod(stack.spacing)), []
    volumes = [stack_volumes_ml(item, stack.positions, area) for item in labels.values()]
    for name, (low, high) in PLAUSIBLE_ML.items():
        found = [item[name] for item in volumes if item[name] > 0]
        odd = [value for value in found if not low <= value <= high]
        if odd:
            messages.append(
                f"The volume of {name}, {odd[0]:.0f} ml, is outside what is found in adults ({low} to {high} "
                "ml); look at the outlines."
            )
    return messages


def _shifts(stack: Stack, labels: Mapping[int, np.ndarray]) -> list[str]:
    """Slices whose left ventricle is not where their neighbours' is."""
    largest: dict[int, float] = {}
    for item in labels.values():
        for index, off in left_offsets(stack, item).items():
            reach = stack.positions[index + 1] - stack.positions[index - 1]
            if off > max(LARGEST_SHIFT_MM, reach / 2):
                largest[index] = max(off, largest.get(index, 0.0))
    return [
        f"The left ventricle of slice {index + 1} lies {off:.0f} mm off its neighbours': a strong "
        "breath-hold shift, or wrong outlines."
        for index, off in sorted(largest.items())
    ]


def left_offsets(stack: Stack, labels: np.ndarray) -> dict[int, float]:
    """By slice how far in mm, in its plane, the middle of the left ventricle lies off the line through those
    of the slices beside it; of slices that show one and lie between two that do.
    """
    left = (labels == LVC) | (labels == LVM)
    shown = np.flatnonzero(left.any((1, 2)))
    centres = {index: np.argwhere(left[index]).mean(0) * stack.spacing[::-1] for index in shown}
    offsets = {}
    for index in shown:
        if index - 1 in centres and index + 1 in centres:
            before, place, after = stack.positions[index - 1 : index + 2]
            t = (place - before) / (after - before)
            middle = (1 - t) * centres[index - 1] + t * centres[index + 1]
            offsets[int(index)] = float(np.linalg.norm(centres[index] - middle))
    return offsets


def _swaps(labels: Mapping[int, np.ndarray]) -> list[str]:
    """Slices in which one ventricle lies where a neighbouring slice shows the other."""
    odd = set()
    for item in labels.values():
        for first in range(len(item) - 1):
            one, other = item[first], item[first + 1]
            for cavity, beside in ((one == LVC, other), (other == LVC, one)):
                if cavity.any() and (beside[cavity] == RVC).mean() > LARGEST_SWAP:
                    odd.add(first)
    return [
        f"Left and right ventricle of slices {first + 1} and {first + 2} do not match; they may be confused "
        "in one of them."
        for first in sorted(odd)
    ]


def _contrast(stack: Stack, labels: Mapping[int, np.ndarray]) -> list[str]:
    for frame, item in labels.items():
        blood, muscle = (stack.frames[frame][item == label] for label in (LVC, LVM))
        if len(blood) and len(muscle) and np.median(blood) < LEAST_CONTRAST * np.median(muscle):
            return [
                f"{NAMES[LVC]} is hardly brighter than {NAMES[LVM]}, unlike in the cine MR that the model "
                "knows; look at the outlines."
            ]
    return []
