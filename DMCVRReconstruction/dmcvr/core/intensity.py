"""Intensities as the networks see them: 0 is black, 1 the bright end of blood and fat in the heart's
window.
"""

from __future__ import annotations

import numpy as np

WINDOW_MM = 192.0
"""Side of the square about the heart that sets the scale and that the compact preset works on."""
PERCENTILE = 99.5


def stack_scale(images: np.ndarray, centre: tuple[float, float], spacing: tuple[float, float]) -> float:
    """The intensity that becomes 1: a high percentile within the heart's window.

    images: (..., H, W). centre: [row, column] of the heart. spacing: (x, y) mm.
    """
    window = tuple(
        slice(max(round(middle - WINDOW_MM / 2 / step), 0), max(round(middle + WINDOW_MM / 2 / step), 1))
        for middle, step in zip(centre, spacing[::-1], strict=True)
    )
    return field_scale(images[..., window[0], window[1]])


def field_scale(images: np.ndarray) -> float:
    """The intensity that becomes 1 where the heart is not known yet: the same percentile of everything that
    is not black.
    """
    bright = images[images > 0]
    return float(np.percentile(bright, PERCENTILE)) if bright.size else 1.0


def grey_limits(image: np.ndarray) -> tuple[float, float]:
    """The intensities to show as black and white: the 0.5th and 99.5th percentile of what is not empty."""
    filled = image[image != 0]
    low, high = np.percentile(filled, (0.5, 99.5)) if filled.size else (0.0, 1.0)
    return float(low), float(max(high, low + 1e-6))
