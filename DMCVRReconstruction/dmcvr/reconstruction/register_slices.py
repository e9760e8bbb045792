"""The pipeline's step that finds the slices' breath-hold shifts: from what, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..alignment.combined_shifts import combined_shifts
from ..alignment.lax_shifts import lax_shifts
from ..alignment.register import SMALLEST_MM
from ..alignment.shape_shifts import shape_shifts
from ..alignment.shifts import SliceShifts
from ..core.labels import BACKGROUND
from ..core.stack import Stack
from ..model.inference import Model
from .warnings import IN_REGISTER

MOST_FRAMES = 4
"""Slices err alike in all their frames, so more say hardly more."""
SOURCES = {
    "lax": "the long-axis images",
    "shape": "the slices' own shapes",
    "both": "the long-axis images and the slices' own shapes",
}


def find_shifts(
    stack: Stack,
    labels: Iterable[np.ndarray],
    lax: Sequence[Stack],
    align: str,
    model: Model | None = None,
) -> tuple[SliceShifts, tuple[str, ...]]:
    """The slices' shifts, and plain sentences on what will be done about them.

    stack: straightened, all of its frames. labels: (S, H, W) uint8 of those that have any. lax: stacks of one
    slice each. align: as in the pipeline's options. model: for what it has learned of shapes, None to do
    without.
    """
    labels = list(labels)
    shifts, notes = SliceShifts.none(len(stack.origins)), []
    if align in ("auto", "lax") and (lax or align == "lax"):
        heart = np.any([item != BACKGROUND for item in labels], axis=0)
        shifts, note = lax_shifts(stack, lax, heart)
        notes += [note] if note else []
    learned = model is not None and model.shifts is not None
    if align == "shape" and not learned:
        notes.append("The model cannot tell slices' shifts from their shapes; they were left as acquired.")
    if align in ("auto", "shape") and model is not None and learned:
        some = np.stack([labels[index] for index in _spread(len(labels), MOST_FRAMES)])
        from_shape = shape_shifts(model.estimate_shifts, some, stack.positions, stack.spacing)
        if shifts.source == "none":
            shifts = from_shape
        elif from_shape.source != "none":
            shifts = combined_shifts(shifts, from_shape)
    if shifts.largest >= SMALLEST_MM:
        notes.append(_told(shifts))
    return shifts, tuple(notes)


def _spread(count: int, most: int) -> list[int]:
    """Up to ``most`` of ``count`` indices, evenly spread."""
    return sorted({round(index) for index in np.linspace(0, count - 1, min(count, most))})


def _told(shifts: SliceShifts) -> str:
    farthest = int(shifts.lengths.argmax())
    return (
        f"{IN_REGISTER} by {SOURCES[shifts.source]}: moved in their plane by up to "
        f"{shifts.largest:.1f} mm (slice {farthest + 1}) and resampled; --align off leaves them as acquired."
    )
