"""Images without content, which files are padded with: found before anything is segmented, because a frame or
a slice that shows nothing is no heart without volume.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.errors import InputError
from ..core.stack import Stack

BLANK = 0.02
"""Standard deviation of a blank image over that of the stack's images in the median."""


def blank_images(stack: Stack) -> np.ndarray:
    """(T, S) bool, whether an image is constant, or as good as that."""
    deviations: np.ndarray = stack.frames.std((-2, -1))
    shown = deviations[deviations > 0]
    blank: np.ndarray = deviations <= BLANK * (np.median(shown) if shown.size else 1.0)
    return blank


def leave_out_blank_slices(
    stack: Stack, labels: np.ndarray | None
) -> tuple[Stack, np.ndarray | None, list[str]]:
    """The stack, and its labels (T or 1, S, H, W), without slices that are blank in every frame; and a
    sentence that names them, counted along the normal. Raises InputError where fewer than two slices remain.
    """
    blank = blank_images(stack).all(0)
    if not blank.any():
        return stack, labels, []
    kept = np.flatnonzero(~blank)
    names = _listed("Slice", np.flatnonzero(blank) + 1)
    if len(kept) < 2:
        raise InputError(f"{names} of the image show nothing; check that the right file was chosen.")
    verb = "is" if blank.sum() == 1 else "are"
    message = (
        f"{names} of the stack {verb} blank and left out; nothing is known of the heart there, and "
        "further notes count the other slices alone."
    )
    return stack.select(slices=kept), None if labels is None else labels[:, kept], [message]


def complete_frames(stack: Stack) -> tuple[list[int], list[str]]:
    """The frames none of whose slices is blank, and a sentence on each that is left out.

    Raises InputError where there is none.
    """
    blank = blank_images(stack)
    complete = np.flatnonzero(~blank.any(1)).tolist()
    if not complete:
        raise InputError(
            "Every frame of the image has blank slices; export it again, or give fewer frames or slices."
        )
    messages = [
        f"Frame {frame} is blank in {count} of {blank.shape[1]} slices and was left out: it counts neither "
        "for end-diastole and end-systole nor for the ejection fraction."
        for frame, count in enumerate(blank.sum(1).tolist())
        if count
    ]
    return complete, messages


def _listed(noun: str, numbers: Sequence[int] | np.ndarray) -> str:
    """``Slice 3``, or ``Slices 3, 4``."""
    return f"{noun}{'s' if len(numbers) > 1 else ''} {', '.join(str(number) for number in numbers)}"
