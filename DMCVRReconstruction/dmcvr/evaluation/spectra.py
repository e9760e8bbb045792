"""How much of an image is in fine and how much in coarse detail."""

from __future__ import annotations

import numpy as np


def power_spectrum(
    images: np.ndarray, spacing: tuple[float, float], bins: int = 32
) -> tuple[np.ndarray, np.ndarray]:
    """Mean power of images (N, H, W) by spatial frequency, whatever its direction.

    spacing: (x, y) mm. A Hann window keeps the borders, which do not fit each other, out of it, and the mean
    is taken away first.
    Returns the middles of ``bins`` even steps in cycles a mm, up to the Nyquist frequency of the larger
    pixels' side, and the power there, (bins,) each.
    """
    images = np.asarray(images, float)
    height, width = images.shape[1:]
    window = np.hanning(height)[:, None] * np.hanning(width)
    centred = images - images.mean((1, 2), keepdims=True)
    power = np.square(np.abs(np.fft.fft2(centred * window))).mean(0)
    frequency = np.hypot(np.fft.fftfreq(height, spacing[1])[:, None], np.fft.fftfreq(width, spacing[0]))
    edges = np.linspace(0, 0.5 / max(spacing), bins + 1)
    index = np.digitize(frequency.ravel(), edges) - 1
    inside = (index >= 0) & (index < bins)
    total = np.bincount(index[inside], power.ravel()[inside], bins)
    count = np.bincount(index[inside], minlength=bins)
    return (edges[:-1] + edges[1:]) / 2, total / np.maximum(count, 1) / np.square(window).sum()
