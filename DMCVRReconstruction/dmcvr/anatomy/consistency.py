"""What labels of a stack should hold: no structure missing between two slices that show it."""

from __future__ import annotations

import numpy as np

from ..core.labels import LVC, LVM, RVC


def missing_inner_slices(labels: np.ndarray) -> list[tuple[int, int]]:
    """(label, slice) wherever a slice of labels (S, H, W) lacks a label that slices on both sides of it show.

    The heart has no such gaps: these are misses of the segmentation, worth a warning, since the structure is
    then interpolated as if it ended there.
    """
    missing = []
    for label in (LVC, LVM, RVC):
        shown = (labels == label).any((-2, -1))
        if shown.any():
            first, last = np.flatnonzero(shown)[[0, -1]]
            missing += [(label, int(index)) for index in range(first, last) if not shown[index]]
    return missing
