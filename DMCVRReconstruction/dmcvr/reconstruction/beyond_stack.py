"""How uncertain slices beyond the stack are: by the gap that ends there.

What changes along the stack as if at random is tied down by a slice at both ends of a gap, and beyond the
stack by a single one: at d mm from that slice its variance is proportional to d (g - d) / g in a gap of g mm
(a Brownian bridge), and to d beyond the stack (Brownian motion). So a slice beyond the stack is as uncertain
as the one as far within, or as the middle of the gap if that is nearer, times the root of the ratio.
"""

from __future__ import annotations

import numpy as np


def uncertain_as(positions: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (Z,) mm within the stack, and factors (Z,) of their standard deviations, for ``wanted`` (Z,) mm.

    positions: (S,) mm of the slices, two or more, increasing. Within the stack every place stands for itself,
    by a factor of 1.
    """
    places, factors = np.array(wanted, float), np.ones(len(wanted))
    for end, inward in ((0, 1), (-1, -1)):
        gap = abs(positions[end] - positions[end + inward])
        away = inward * (positions[end] - places)
        beyond = away > 0
        within = np.minimum(away[beyond], gap / 2)
        places[beyond] = positions[end] + inward * within
        factors[beyond] = np.sqrt(away[beyond] / (within * (gap - within) / gap))
    return places, factors
