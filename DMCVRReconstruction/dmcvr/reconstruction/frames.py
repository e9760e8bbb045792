"""Which frames of a cine are meant: end-diastole, end-systole, both, all, or one by its number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..anatomy.function import find_ed_es, stack_volumes_ml
from ..core.errors import InputError
from ..core.stack import Stack
from .options import BOTH


def cycle_volumes(
    stack: Stack, labels: dict[int, np.ndarray], cavity: str = "LVC"
) -> tuple[float | None, ...]:
    """A cavity's volume in ml by disc summation in each frame of the stack, None where it has no labels, or
    none of the cavity: such a frame shows no ventricle, rather than one without blood.
    """
    area = float(np.prod(stack.spacing))
    return tuple(
        (stack_volumes_ml(labels[t], stack.positions, area)[cavity] or None) if t in labels else None
        for t in range(len(stack.frames))
    )


def phases(cycle: Sequence[float | None]) -> tuple[int, int]:
    """End-diastole and end-systole among the frames whose volume is known. Raises InputError for none."""
    known = [(t, value) for t, value in enumerate(cycle) if value is not None]
    if not known:
        raise InputError(
            "No frame shows a left ventricular cavity, so end-diastole and end-systole cannot be told; check "
            "the labels, or choose a frame by its number with --frame."
        )
    ed, es = find_ed_es([value for _, value in known])
    return known[ed][0], known[es][0]


def choose_frames(frame: str | int, cycle: Sequence[float | None]) -> list[int]:
    """The frames meant by "ed", "es", "both", "all" or an index, from the LVC volumes of ``cycle_volumes``;
    "all" are those that show a heart.
    """
    if isinstance(frame, int):
        return [frame]
    ed, es = phases(cycle)
    if frame == "all":
        return [t for t, value in enumerate(cycle) if value is not None]
    if frame == BOTH:
        return sorted({ed, es})
    if frame not in ("ed", "es"):
        raise InputError(f"There is no frame {frame!r}; choose ed, es, both, all or a number.")
    return [ed if frame == "ed" else es]
