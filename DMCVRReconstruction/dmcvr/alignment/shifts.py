"""By how much each short-axis slice is displaced in its plane: each is from a breath-hold of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..core.geometry import unit
from ..core.stack import Stack

Source = Literal["lax", "shape", "both", "none"]


@dataclass(frozen=True)
class SliceShifts:
    """One shift for each of S slices, the same in all its frames.

    mm: (S, 2) by which what each slice shows is displaced in its plane, (x, y) along the unit vectors of the
        stack's step_x and step_y. Their mean over the slices that show the heart cannot be told and is 0.
    sd: (S,) mm, standard deviation of the error expected in either direction, or None where it is not known.
    source: what they were found from: long-axis images, the shapes of the slices, both, or "none" for none
        found.
    """

    mm: np.ndarray
    sd: np.ndarray | None = None
    source: Source = "none"

    def __post_init__(self):
        if self.mm.ndim != 2 or self.mm.shape[1] != 2:
            raise ValueError("shifts are (S, 2): x and y of every slice")
        if self.sd is not None and self.sd.shape != self.mm.shape[:1]:
            raise ValueError("sd has one value for each slice")

    @classmethod
    def none(cls, count: int) -> SliceShifts:
        """No shift for any of ``count`` slices."""
        return cls(np.zeros((count, 2)))

    @property
    def lengths(self) -> np.ndarray:
        """(S,) mm, how far each slice is displaced."""
        return np.linalg.norm(self.mm, axis=1)

    @property
    def largest(self) -> float:
        """In mm; 0 of no slices."""
        return float(self.lengths.max(initial=0.0))

    def vectors(self, stack: Stack) -> np.ndarray:
        """(S, 3) LPS mm."""
        return self.mm @ np.stack([unit(stack.step_x), unit(stack.step_y)])


def in_plane(vectors: np.ndarray, stack: Stack) -> np.ndarray:
    """(S, 2) mm along the stack's x and y of displacements (S, 3) LPS mm."""
    return vectors @ np.stack([unit(stack.step_x), unit(stack.step_y)], axis=1)


def moved_back(stack: Stack, shifts: SliceShifts) -> Stack:
    """The stack with each slice where the heart was at rest: other origins, the same voxels."""
    return replace(stack, origins=stack.origins - shifts.vectors(stack))
