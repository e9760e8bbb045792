"""Implicit shapes: signed distances in mm, negative inside, of (N, 3) points; and painting with them.

The distances are exact to first order at the surface, which is where painting looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


def occupancy(distance: np.ndarray, width: float) -> np.ndarray:
    """Share of a pixel ``width`` mm wide that lies inside, in [0, 1]: a ramp over the distance."""
    return np.clip(0.5 - distance / width, 0, 1)


def paint(image: np.ndarray, distance: np.ndarray, signal: float | np.ndarray, width: float) -> None:
    """Lay ``signal`` over ``image`` (N,) in place where ``distance`` says inside, blended at the border."""
    image += occupancy(distance, width) * (signal - image)


def squared_norm(vectors: np.ndarray) -> np.ndarray:
    """(N,) squared lengths of (N, 3) vectors."""
    return np.einsum("ij,ij->i", vectors, vectors)


def ellipsoid(points: np.ndarray, centre: ArrayLike, radii: ArrayLike) -> np.ndarray:
    """Distance to an ellipsoid with axes along the coordinates; exact to first order at its surface."""
    inverse = 1 / np.asarray(radii, np.float32)
    scaled = (points - np.asarray(centre, np.float32)) * inverse
    level = np.sqrt(squared_norm(scaled))
    slope = np.sqrt(squared_norm(scaled * inverse))
    return level * (level - 1) / np.maximum(slope, 1e-6)


def tube(points: np.ndarray, path: ArrayLike, radii: ArrayLike) -> np.ndarray:
    """Distance to a tube along the polyline ``path`` (K, 3); ``radii`` one number or (K,), tapering."""
    corners = np.asarray(path, np.float32)
    thick = np.broadcast_to(np.asarray(radii, np.float32), len(corners))
    out = np.full(len(points), np.inf, np.float32)
    # |p - start - share along|^2 multiplied out, so that one matrix product serves all segments.
    middle = corners.mean(0)
    points, corners = points - middle, corners - middle
    along = np.diff(corners, axis=0)
    lengths = np.maximum((along**2).sum(1), np.float32(1e-6))
    square = squared_norm(points)
    to_start = points @ corners[:-1].T
    forward = points @ along.T - (corners[:-1] * along).sum(1)
    for i, length in enumerate(lengths):
        share = np.clip(forward[:, i] / length, 0, 1)
        start = corners[i] @ corners[i]
        gap = square - 2 * to_start[:, i] + start + share * (share * length - 2 * forward[:, i])
        distance = np.sqrt(np.maximum(gap, 0)) - (thick[i] + share * (thick[i + 1] - thick[i]))
        np.minimum(out, distance, out=out)
    return out


def paint_tubes(
    image: np.ndarray,
    points: np.ndarray,
    tubes: Sequence[tuple[np.ndarray, np.ndarray]],
    signal: float,
    width: float,
    extra: float = 0.0,
) -> None:
    """Paint many (path (K, 3), radii (K,)) tubes, ``extra`` mm thicker, looking at each one only near it."""
    centres = np.stack([np.mean(path, axis=0) for path, _ in tubes])
    reach = [
        np.linalg.norm(path - centre, axis=1).max() + np.max(radii) + extra + width
        for (path, radii), centre in zip(tubes, centres, strict=True)
    ]
    middle = centres.mean(0).astype(np.float32)
    offset, centres = points - middle, (centres - middle).astype(np.float32)
    square = centres @ (-2 * offset.T) + squared_norm(offset) + squared_norm(centres)[:, None]
    for (path, radii), distances, limit in zip(tubes, square, reach, strict=True):
        near = np.flatnonzero(distances < limit**2)
        if len(near):
            part = image[near]
            paint(part, tube(points[near], path, radii) - extra, signal, width)
            image[near] = part


def superellipse(
    x: np.ndarray, y: np.ndarray, a: float | np.ndarray, b: float | np.ndarray, power: float = 2.5
):
    """Distance to the cylinder |x/a|^power + |y/b|^power = 1, measured along the ray from its axis."""
    level = (np.abs(x / a) ** power + np.abs(y / b) ** power) ** (1 / power)
    return np.hypot(x, y) * (1 - 1 / np.maximum(level, 1e-3))


def smooth_min(a: np.ndarray, b: np.ndarray, blend: float) -> np.ndarray:
    """Union of two shapes whose crease is filled over about ``blend`` mm (quadratic smooth minimum)."""
    share = np.maximum(blend - np.abs(a - b), 0) / blend
    return np.minimum(a, b) - share**2 * (blend / 4)


@dataclass(frozen=True)
class Ripple:
    """A smooth random field, about N(0, 1): plane waves with wavelengths from a range in mm."""

    waves: np.ndarray  # (K, 3) radians per mm
    phases: np.ndarray  # (K,)

    @classmethod
    def random(cls, rng: np.random.Generator, shortest: float, longest: float, count: int = 8) -> Ripple:
        directions = rng.normal(size=(count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        numbers = 2 * np.pi / rng.uniform(shortest, longest, (count, 1))
        return cls(
            (directions * numbers).astype(np.float32), rng.uniform(0, 2 * np.pi, count).astype(np.float32)
        )

    def __call__(self, points: np.ndarray, advance: float = 0.0) -> np.ndarray:
        """(N,) values at (N, 3) points; ``advance`` in radians moves the pattern on."""
        total = np.zeros(len(points), np.float32)
        for wave, phase in zip(self.waves, self.phases, strict=True):
            total += np.cos(points @ wave + (phase + np.float32(advance)))
        return total * np.float32(np.sqrt(2 / len(self.waves)))
