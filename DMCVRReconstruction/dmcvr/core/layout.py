"""Where the slices of a reconstruction lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .geometry import Grid


@dataclass(frozen=True)
class Layout:
    """The output grid and what lies on it.

    grid: the reconstruction's. wanted: (Z,) mm, position of every slice of the grid along the stack's normal,
    from the first acquired slice. acquired: (Z,) index of the acquired slice at each z, None where one is to
    be made.
    """

    grid: Grid
    wanted: np.ndarray
    acquired: tuple[int | None, ...]
