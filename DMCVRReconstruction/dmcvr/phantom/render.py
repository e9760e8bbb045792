"""Cine MR images of a phantom: slice profile, coil shading, texture and Rician noise."""

from __future__ import annotations

import numpy as np

from ..geometry import Plane
from .config import PhantomConfig
from .heart import Fields, Heart, paint_heart, paint_vessels
from .shapes import Ripple, squared_norm
from .thorax import Thorax

PEAK = 600.0  # intensity of blood before shading


def slice_profile(thickness: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (mm) and weights (sum 1) of ``count`` sub-slices; at thickness / 2 the profile has fallen to half."""
    offsets = thickness * (np.arange(count) - (count - 1) / 2) * (1.25 / count)
    weights = np.exp(-np.log(2) * (2 * offsets / thickness) ** 4)
    return offsets, weights / weights.sum()


def render_plane(
    hearts: list[Heart],
    thorax: Thorax,
    fields: Fields,
    plane: Plane,
    thickness: float,
    subslices: int = 4,
    shift: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """One slice over time: what an ideal scanner sees, and what a reader would draw.

    shift: (3,) LPS mm by which heart, lungs and abdomen are displaced against their reference position.
    Returns signal (T, H, W) float32, blood 1, without shading or noise, and labels (T, H, W) uint8: at each pixel the
    label that fills most of the slice profile.
    """
    shift = np.zeros(3) if shift is None else np.asarray(shift, float)
    width = float(np.mean(plane.spacing))
    centre, radius = _reach(hearts)
    flat = plane.points().reshape(-1, 3)
    signal = np.zeros((len(hearts), len(flat)), np.float32)
    votes = np.zeros((len(hearts), 4, len(flat)), np.float32)
    for offset, weight in zip(*slice_profile(thickness, subslices), strict=True):
        points = (flat + offset * plane.normal).astype(np.float32)
        body = np.zeros(len(points), np.float32)
        thorax.paint(body, points, shift, width)
        moved = points - shift.astype(np.float32)
        paint_vessels(body, moved, hearts[0], width)
        near = np.flatnonzero(squared_norm(moved - centre) < radius**2)
        moved = moved[near]
        for frame, heart in enumerate(hearts):
            image = body.copy()
            part = image[near]
            labels = paint_heart(part, moved, heart, fields, width)
            image[near] = part
            signal[frame] += np.float32(weight) * image
            votes[frame, labels, near] += np.float32(weight)
    shape = (len(hearts), *plane.shape)
    return np.abs(signal).reshape(shape), votes.argmax(1).astype(np.uint8).reshape(shape)


def _reach(hearts: list[Heart]) -> tuple[np.ndarray, float]:
    """Ball (LPS) that holds all of the heart that moves: ventricles, atria and the roots of the vessels."""
    heart = max(hearts, key=lambda heart: heart.ball[1])
    low = heart.apex[2] - heart.chambers.wall - 12
    high = 52 * heart.config.scale
    centre = heart.to_body([18 * heart.config.scale, 2, (low + high) / 2])
    return centre.astype(np.float32), (high - low) / 2 + 22 * heart.config.scale


class Scanner:
    """Receive coils and noise of one scan."""

    def __init__(self, config: PhantomConfig) -> None:
        rng = np.random.default_rng([config.seed, 4])
        self._config = config
        self._drift = Ripple.random(rng, 300, 700, 4)
        self._texture = Ripple.random(rng, 8, 40, 12)

    def shading(self, points: np.ndarray) -> np.ndarray:
        """(N,) coil sensitivity at (N, 3) LPS points, about 1 at the heart, brightest at the front."""
        strength, half = self._config.bias, 0.5 * self._config.chest_depth_mm
        front = np.exp(-(points[:, 1] + half) / 70)
        back = 0.8 * np.exp((points[:, 1] - half) / 60)
        return 1 + strength * (front + back - 0.35) + 0.15 * strength * self._drift(points)

    def acquire(self, signal: np.ndarray, plane: Plane, rng: np.random.Generator | None) -> np.ndarray:
        """Intensities (T, H, W) float32 from ``signal``; without ``rng`` free of noise."""
        points = plane.points().reshape(-1, 3).astype(np.float32)
        gain = self.shading(points) * (1 + self._config.texture * self._texture(points))
        image = PEAK * signal * np.maximum(gain, 0.1).reshape(plane.shape)
        if rng is None:
            return image.astype(np.float32)
        noise = rng.standard_normal((2, *signal.shape), dtype=np.float32) * np.float32(PEAK / self._config.snr)
        return np.hypot(image + noise[0], noise[1]).astype(np.float32)
