"""Breath-hold shifts of slices from long-axis images and from the slices' own shapes together.

Both say the same of the same slices, each with an error of its own, so the most probable shifts are their
means, weighted by their precision. What is common to all slices neither can tell; the two are brought
together first.
"""

from __future__ import annotations

import numpy as np

from .shifts import SliceShifts


def combined_shifts(lax: SliceShifts, shape: SliceShifts) -> SliceShifts:
    """Shifts from both, with the standard deviations of their errors; where one of them says nothing of a
    slice, the other's.

    Raises ValueError where standard deviations are not known.
    """
    if lax.sd is None or shape.sd is None:
        raise ValueError("shifts are combined by their standard deviations")
    errors = np.stack([lax.sd, shape.sd])
    precision = np.where(np.isfinite(errors), 1 / np.square(errors), 0.0)
    both = (precision > 0).all(0)
    other = shape.mm
    if both.any():
        weight = 1 / np.square(errors[:, both]).sum(0)
        other = other + np.average((lax.mm - shape.mm)[both], axis=0, weights=weight)
    total = precision.sum(0)
    told = total > 0
    share = precision / np.where(told, total, 1)
    mm = share[0][:, None] * lax.mm + share[1][:, None] * other
    mm[told] -= mm[told].mean(0)
    return SliceShifts(mm, np.where(told, 1 / np.sqrt(np.where(told, total, 1)), np.inf), "both")
