"""One piece of each structure: no specks beside it, no gaps within the left ventricle."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..core.labels import BACKGROUND, LVC, LVM, RVC


def largest_piece(mask: np.ndarray, touching: np.ndarray | None = None) -> np.ndarray:
    """The largest part of ``mask`` that hangs together; ``mask`` itself where that is all.

    touching: (3, 3, 3) bool, which neighbours of a voxel hang together with it; None for those by a face.
    """
    pieces, count = ndimage.label(mask, touching)
    if count < 2:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    piece: np.ndarray = pieces == sizes.argmax()
    return piece


def one_piece(labels: np.ndarray) -> np.ndarray:
    """Labels (Z, Y, X) uint8 with the largest piece of each structure alone.

    Specks become background, and background that the left ventricle then encloses becomes its wall.
    """
    heart = np.argwhere(labels != BACKGROUND)
    if not len(heart):
        return labels
    box = tuple(slice(low, high + 1) for low, high in zip(heart.min(0), heart.max(0), strict=True))
    out = labels.copy()
    part = out[box]
    for label in (LVC, LVM, RVC):
        mask = part == label
        part[mask & ~largest_piece(mask)] = BACKGROUND
    ventricle = (part == LVC) | (part == LVM)
    part[ndimage.binary_fill_holes(ventricle) & (part == BACKGROUND)] = LVM
    return out
