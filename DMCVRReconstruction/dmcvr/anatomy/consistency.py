"""What labels of a heart should hold: a cavity within its wall, no structure missing between two slices."""

from __future__ import annotations

import numpy as np

from ..core.labels import LVC, LVM, RVC


def surrounded(labels: np.ndarray, inner: int, wall: int) -> float:
    """Share of ``inner``'s border with anything else, within the slices, that is border with ``wall``.

    labels: (..., H, W). 0 where ``inner`` has no border.
    """
    border = touching = 0
    for axis in (-1, -2):
        moved = np.moveaxis(labels, axis, -1)
        for a, b in ((moved[..., 1:], moved[..., :-1]), (moved[..., :-1], moved[..., 1:])):
            neighbours = b[(a == inner) & (b != inner)]
            border += neighbours.size
            touching += int((neighbours == wall).sum())
    return touching / border if border else 0.0


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
