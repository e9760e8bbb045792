"""What the user should know of a stack and its labels before a reconstruction is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..anatomy.consistency import missing_inner_slices
from ..core.labels import LVC, LVM, NAMES, RVC, surrounded
from ..core.layout import Layout
from ..core.stack import Stack
from .options import Options
from .plausibility import plausibility_warnings

IN_REGISTER = "Slices were put in register"
"""What the note on it begins with, which tells what was done and is no doubt of the result."""
EDGE = 2
"""Pixels from the border within which a structure counts as cut by it: on the outermost ones the segmenter,
which sees nothing beyond, often draws nothing.
"""
WIDE_GAP_MM = 15.0
FEW_SLICES = 4
WIDER = 0.01
"""Share by which a spacing must exceed the gaps to be wider."""
LEAST_SURROUNDED = 0.8
"""Share of the left ventricular cavity's outline that myocardium surrounds. In the experts' labels of ACDC's
patients 001-100 (200 stacks) it is 0.987 or more, in what the shipped model makes of every fourth of these
stacks 0.878 or more. In stacks of long-axis slices through the phantom it is 0.26 to 0.75.
"""


def warnings_for(
    stack: Stack, displaced: float, layout: Layout, labels: Mapping[int, np.ndarray]
) -> list[str]:
    """Plain sentences.

    stack: straightened, its slices having been ``displaced`` by up to so many mm. labels: (S, H, W) uint8 by
    frame, of the frames that are reconstructed.
    """
    return [
        *_of_places(stack, displaced, layout),
        *_of_labels(np.stack(list(labels.values()))),
        *plausibility_warnings(stack, labels),
    ]


def _of_places(stack: Stack, displaced: float, layout: Layout) -> list[str]:
    messages, count = [], len(stack.origins)
    if displaced > 0:
        messages.append(
            f"The file displaces the slices against each other in their plane by up to {displaced:.1f} mm; "
            "they were resampled to lie straight above each other."
        )
    if count < FEW_SLICES:
        messages.append(f"The stack has only {count} slices; most of the heart's shape is not in it.")
    if stack.gaps.max() > WIDE_GAP_MM:
        messages.append(
            f"Slices are up to {stack.gaps.max():.1f} mm apart; beyond {WIDE_GAP_MM:.0f} mm "
            "what lies between them is largely guessed."
        )
    if lost := sorted(set(range(count)) - set(layout.acquired)):
        messages.append(
            f"The slices' spacing is irregular: {len(lost)} of {count} acquired slices fall "
            "between slices of the output grid and are represented by interpolation."
        )
    return messages


def _of_labels(labels: np.ndarray) -> list[str]:
    """``labels``: (T, S, H, W)."""
    messages = [
        f"{NAMES[label]} was not found in slice {index + 1} although slices on both sides show it."
        for label, index in sorted({gap for item in labels for gap in missing_inner_slices(item)})
    ]
    edge = np.ones(labels.shape[2:], bool)
    edge[EDGE:-EDGE, EDGE:-EDGE] = False
    if cut := [name for label, name in NAMES.items() if (labels[..., edge] == label).any()]:
        messages.append(
            f"{' and '.join(cut)} reach the border of the image: what lies beyond it is missing from shapes "
            "and volumes."
        )
    if (labels == LVC).any() and surrounded(labels, LVC, LVM) < LEAST_SURROUNDED:
        messages.append(
            "Myocardium does not surround the left ventricular cavity as it does in short-axis slices; look "
            "at the outlines, the image may be a long-axis one."
        )
    if not (labels == RVC).any():
        messages.append("No right ventricle was found; the image may not be a short-axis stack.")
    # In the experts' labels of ACDC, five of six slices that show the right one, or more, show both.
    elif not (((labels == LVC) | (labels == LVM)).any((2, 3)) & (labels == RVC).any((2, 3))).any():
        messages.append(
            "No slice shows both ventricles; the image may not be a short-axis stack, look at the outlines."
        )
    return messages


def warnings_without_heart(frames: Sequence[int]) -> list[str]:
    """What is said of ``frames`` in which no left ventricle was found."""
    return [
        f"No left ventricle was found in frame {frame}, which was left out: it counts neither for "
        "end-diastole and end-systole nor for the ejection fraction."
        for frame in frames
    ]


def warnings_of_options(stack: Stack, layout: Layout, options: Options) -> list[str]:
    """Where options cannot mean for ``stack`` what they say."""
    messages = []
    if options.frame == "es" and len(stack.frames) == 1:
        messages.append(
            "The image has a single frame, which was taken for end-systole as asked; whether it is cannot be "
            "told."
        )
    if options.spacing is not None and options.spacing > stack.gaps.min() * (1 + WIDER):
        messages.append(
            f"A slice spacing of {options.spacing:g} mm is wider than gaps of {stack.gaps.min():.4g} mm "
            f"between acquired slices; the slices of the result lie {layout.grid.spacing[2]:.4g} mm apart."
        )
    return messages
