"""Where a wanted position lies among the positions of the acquired slices."""

from __future__ import annotations

import numpy as np

SAME_MM = 1e-4
"""Positions closer than this are one: a grid's rounding must not turn an acquired slice into a blend."""


def bracket(positions: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The slices around each wanted position and how far it is from the lower one to the upper one.

    positions: (S,) mm, increasing. wanted: (Z,) mm, from the first position to the last.
    Returns (below (Z,) int, above (Z,) int, fraction (Z,) float in [0, 1)). At an acquired position, and only
    there, below == above and the fraction is exactly 0. Raises ValueError if a wanted position lies beyond
    the ends.
    """
    positions, wanted = np.asarray(positions, float), np.asarray(wanted, float)
    if (np.diff(positions) <= SAME_MM).any():
        raise ValueError("positions must increase")
    if (wanted < positions[0] - SAME_MM).any() or (wanted > positions[-1] + SAME_MM).any():
        raise ValueError("wanted positions must lie between the first slice and the last")
    nearest = np.abs(wanted[:, None] - positions).argmin(1)
    acquired = np.abs(wanted - positions[nearest]) <= SAME_MM
    below = np.where(acquired, nearest, np.searchsorted(positions, wanted) - 1)
    above = np.where(acquired, nearest, below + 1)
    gap = np.where(acquired, 1.0, positions[above] - positions[below])
    fraction = np.where(acquired, 0.0, (wanted - positions[below]) / gap)
    return below, above, fraction
