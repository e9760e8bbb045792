"""Pictures of what a network makes of its samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from skimage.segmentation import find_boundaries

from ..core.labels import COLOURS


def grey(image: np.ndarray) -> np.ndarray:
    """(2H, 2W, 3) uint8 of an image (H, W) in [0, 1], twice as large."""
    values = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return np.repeat(values.repeat(2, 0).repeat(2, 1)[..., None], 3, 2)


def outlined(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """`grey` of an image (H, W) with the outlines of its labels (H, W)."""
    out, large = grey(image), labels.repeat(2, 0).repeat(2, 1)
    for label, colour in COLOURS.items():
        out[find_boundaries(large == label, mode="inner")] = colour
    return out


def tiled(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """One picture of rows of pictures of one size."""
    return np.concatenate([np.concatenate(list(row), 1) for row in rows])
