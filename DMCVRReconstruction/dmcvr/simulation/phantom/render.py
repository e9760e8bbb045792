"""Cine MR images of a known heart: slice profile, coil shading, texture and Rician noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...core.geometry import Plane
from .config import PhantomConfig
from .shapes import Ripple, squared_norm
from .thorax import Thorax
from .vessels import Course, paint_vessels

PEAK = 600.0  # intensity of blood before shading
OPPOSED = 0.8  # minus the cosine of the phase between fat and water: not quite opposed through a thick slice
TIE = 1e-3  # of a slice profile: what decides between labels that fill as much of it


def slice_profile(thickness: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (mm) and weights (sum 1) of ``count`` sub-slices; half height at thickness / 2."""
    offsets = thickness * (np.arange(count) - (count - 1) / 2) * (1.25 / count)
    weights = np.exp(-np.log(2) * (2 * offsets / thickness) ** 4)
    return offsets, weights / weights.sum()


class Labelled(Protocol):
    """One moment of a heart whose exact labels are known. Points are (N, 3) LPS float32."""

    def labels(self, points: np.ndarray) -> np.ndarray:
        """(N,) uint8 ventricle labels."""


class Beating(Labelled, Protocol):
    """One moment of a heart that can be imaged."""

    def paint(self, image: np.ndarray, points: np.ndarray, width: float) -> np.ndarray:
        """Paint all that beats over ``image`` (N,) in place; width: pixel, mm. Returns `labels`."""


@dataclass(frozen=True)
class Scene:
    """A patient in the scanner.

    hearts: T moments of the beat. moving: ball (centre (3,) LPS float32, radius) that holds all that beats.
    vessels: what is painted over the body outside that ball.
    """

    thorax: Thorax
    hearts: tuple[Beating, ...]
    moving: tuple[np.ndarray, float]
    vessels: dict[str, list[Course]]


def render_plane(
    scene: Scene, plane: Plane, thickness: float, subslices: int = 4, shift: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """One slice over time: what an ideal scanner sees, and what a reader would draw.

    thickness: mm at half height of the slice profile.
    shift: (3,) LPS mm by which heart, lungs and abdomen are displaced against their reference position.
    Returns signal (T, H, W) float32, blood 1, without shading or noise, and labels (T, H, W) uint8: in each
    pixel the label that fills most of the slice profile, of two that fill as much the one in its middle.
    """
    shift = np.zeros(3) if shift is None else np.asarray(shift, float)
    width = float(np.mean(plane.spacing))
    hearts, (centre, radius) = scene.hearts, scene.moving
    flat = plane.points().reshape(-1, 3)
    normal = plane.normal
    water, fat = np.zeros((2, len(hearts), len(flat)), np.float32)
    votes = np.zeros((len(hearts), 4, len(flat)), np.float32)

    def add(frames: int | slice, pixels: np.ndarray, weight: float, signal: np.ndarray) -> None:
        water[frames, pixels] += np.float32(weight) * np.maximum(signal, 0)
        fat[frames, pixels] -= np.float32(weight) * np.minimum(signal, 0)

    offsets, weights = slice_profile(thickness, subslices)
    # The body varies slowly through the plane: two sub-slices of the heart share one of the body.
    for pair in np.array_split(np.arange(subslices), (subslices + 1) // 2):
        middle, share = np.average(offsets[pair], weights=weights[pair]), float(weights[pair].sum())
        points = (flat + middle * normal).astype(np.float32)
        body = np.zeros(len(points), np.float32)
        scene.thorax.paint(body, points, shift, width)
        moved = points - shift.astype(np.float32)
        beating = squared_norm(moved - centre) < radius**2
        near, far = np.flatnonzero(beating), np.flatnonzero(~beating)
        still = body[far]
        paint_vessels(still, moved[far], width, scene.vessels)
        add(slice(None), far, share, still)
        votes[:, 0, far] += np.float32(share)
        for offset, weight in zip(offsets[pair], weights[pair], strict=True):
            cut = moved[near] + ((offset - middle) * normal).astype(np.float32)
            for frame, heart in enumerate(hearts):
                signal = body[near]
                labels = heart.paint(signal, cut, width)
                add(frame, near, weight, signal)
                votes[frame, labels, near] += np.float32(weight)
    # An even number of sub-slices often ties; the order of the labels would thin muscle and RV.
    middle = (flat - shift).astype(np.float32)
    near = np.flatnonzero(squared_norm(middle - centre) < radius**2)
    for frame, heart in enumerate(hearts):
        votes[frame, heart.labels(middle[near]), near] += np.float32(TIE)
    shape = (len(hearts), *plane.shape)
    magnitude = np.sqrt(np.maximum(water**2 + fat**2 - 2 * OPPOSED * water * fat, 0))
    return magnitude.reshape(shape), votes.argmax(1).astype(np.uint8).reshape(shape)


class Scanner:
    """Receive coils and noise of one scan."""

    def __init__(self, config: PhantomConfig) -> None:
        rng = np.random.default_rng([config.seed, 4])
        self._config = config
        self._drift = Ripple.random(rng, 300, 700, 4)
        self._texture = Ripple.random(rng, 8, 40, 24)

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
        noise = rng.standard_normal((2, *signal.shape), dtype=np.float32) * np.float32(
            PEAK / self._config.snr
        )
        return np.hypot(image + noise[0], noise[1]).astype(np.float32)
