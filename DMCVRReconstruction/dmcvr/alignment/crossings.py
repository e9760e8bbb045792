"""Where the short-axis (SAX) slices cross long-axis (LAX) images, and how well both agree there.

On the line where two planes cross both images show the same tissue, unless one of them is displaced. A slice
displaced in its plane shows it at another place along the line, or beside it. A LAX image displaced along the
line does likewise; displaced through its plane, it crosses the slices beside the line; displaced at right
angles to the slices, it holds what they show above or below the line. So three offsets decide how well the
two profiles agree, and the displacements of slice and LAX image enter each of them linearly:

    across  s.c - (m.n') / (c.n')  c: in the slice, at right angles to the line; n': normal of the LAX image
    along   s.d - m.d              d: along the line
    above   (m.n) / (e.n)          e: in the LAX image, at right angles to the line; n: the slices' normal

with s the slice's displacement, in its plane, and m that of the LAX image. Agreement is the correlation of
the profiles over a window about the heart, all frames together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage

from ..core.geometry import unit
from ..core.stack import Stack, nearest_in_time

STEP_MM = 1.0
REACH_MM = 12.0
"""Offsets along and across the line are looked at up to this far."""
ABOVE_MM = np.arange(-6.0, 6.1, 2.0)
HALF_LINE_MM = 70.0
MARGIN_MM = 12.0
"""How far the window reaches beyond the heart on either side: the chest wall does not move with it."""
SHORTEST_MM = 15.0
"""Of the heart on a line that counts."""
THICKNESS_MM = np.array([-3.0, -1.0, 1.0, 3.0])
"""Over these a LAX image is averaged at right angles to the line, as the slice's thickness does."""
BLOCK_MM = 12.0
STEEPEST_COSINE = 0.7
"""Of the angle between the normals of two planes that cross."""
LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class Moments:
    """Weighted sums over two profiles at all offsets, from which their correlation follows; they add up.

    count: of samples. x, xx: (U,) of the LAX image's profile, above or below the line. y, yy: (B, A) of the
    slice's, across and along. xy: (B, A, U).
    """

    count: float
    x: np.ndarray
    xx: np.ndarray
    y: np.ndarray
    yy: np.ndarray
    xy: np.ndarray

    def __add__(self, other: Moments) -> Moments:
        return Moments(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def correlation(self) -> np.ndarray:
        """(B, A, U) in [-1, 1]; 0 where a profile does not vary."""
        if not self.count:
            return np.zeros_like(self.xy)
        covariance = self.xy - self.y[..., None] * self.x / self.count
        variances = (self.yy - self.y**2 / self.count)[..., None] * (self.xx - self.x**2 / self.count)
        scale = np.sqrt(np.maximum(variances, 0))
        return np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > LEAST_VARIANCE)


@dataclass(frozen=True)
class Crossing:
    """The line where a slice crosses a LAX image, and the evidence found there.

    index, view: of the slice and of the LAX image. of_slice (2, 3), of_view (3, 3): the offsets (across,
    along, above) in mm are ``s @ of_slice + m @ of_view``, with s (2,) mm along the stack's x and y and m
    (3,) LPS mm. length: mm of the window that the LAX image shows. halves: the evidence of every other block
    of the line and of the blocks between, which change places from frame to frame.
    """

    index: int
    view: int
    of_slice: np.ndarray
    of_view: np.ndarray
    length: float
    halves: tuple[Moments, Moments]


def crossing_views(stack: Stack, lax: Sequence[Stack]) -> list[int]:
    """Which of the images ``lax`` cross the stack's slices rather than lie along them."""
    return [i for i, view in enumerate(lax) if abs(view.normal @ stack.normal) < STEEPEST_COSINE]


def find_crossings(
    stack: Stack, lax: Sequence[Stack], heart: np.ndarray, frames: Sequence[int]
) -> list[Crossing]:
    """Every line on which slice and LAX image both show the heart, or what lies about it in the next slice.

    lax: stacks of one slice. heart: (S, H, W) bool, the heart in the slices at any time. frames: of the
    stack, whose evidence is added up.
    """
    out = []
    for index in range(len(heart)):
        # Where a slice shows little or nothing of the ventricles, what its neighbours show lies about it.
        about = np.asarray(heart[max(index - 1, 0) : index + 2].any(0))
        if not about.any():
            continue
        for view in crossing_views(stack, lax):
            line = _Line.of(stack, int(index), lax[view], about)
            if line is None:
                continue
            found = _crossing(line, stack, int(index), lax[view], view, frames)
            if found.length >= SHORTEST_MM:
                out.append(found)
    return out


@dataclass(frozen=True)
class _Line:
    """points: (N, 3) LPS mm, STEP_MM apart. d, c, e: unit vectors, see the module. window: (N,) bool."""

    points: np.ndarray
    d: np.ndarray
    c: np.ndarray
    e: np.ndarray
    window: np.ndarray

    @classmethod
    def of(cls, stack: Stack, index: int, lax: Stack, heart: np.ndarray) -> _Line | None:
        """None where the line misses the ``heart`` (H, W) of the slice."""
        n, across = stack.normal, lax.normal
        d = unit(np.cross(n, across))
        plane = stack.plane(index)
        rows, columns = np.nonzero(heart)
        middle = plane.origin + columns.mean() * plane.step_x + rows.mean() * plane.step_y
        start = np.linalg.solve([n, across, d], [n @ plane.origin, across @ lax.origins[0], d @ middle])
        half = round(HALF_LINE_MM / STEP_MM)
        points = start + np.arange(-half, half + 1)[:, None] * STEP_MM * d
        crossed = np.flatnonzero(_sample(heart.astype(np.uint8), stack, index, points, order=0))
        if len(crossed) * STEP_MM < SHORTEST_MM:
            return None
        margin, window = round(MARGIN_MM / STEP_MM), np.zeros(len(points), bool)
        window[max(crossed[0] - margin, 0) : crossed[-1] + margin + 1] = True
        return cls(points, d, unit(np.cross(n, d)), unit(np.cross(d, across)), window)


def _crossing(
    line: _Line, stack: Stack, index: int, lax: Stack, view: int, frames: Sequence[int]
) -> Crossing:
    n, normal = stack.normal, lax.normal
    of_space = np.stack([line.c, line.d, np.zeros(3)], 1)
    of_slice = np.stack([unit(stack.step_x), unit(stack.step_y)]) @ of_space
    of_view = np.stack([-normal / (line.c @ normal), -line.d, n / (line.e @ n)], 1)

    reach = round(REACH_MM / STEP_MM)
    offsets = np.arange(-reach, reach + 1) * STEP_MM
    ends = np.arange(1, reach + 1)[:, None] * STEP_MM * line.d
    longer = np.concatenate([line.points[0] - ends[::-1], line.points, line.points[-1] + ends])
    beside = longer + offsets[:, None, None] * line.c
    thick = line.points + (ABOVE_MM[:, None, None, None] + THICKNESS_MM[:, None, None]) * line.e
    blocks = (np.arange(len(line.points)) * STEP_MM // BLOCK_MM).astype(int)
    halves: list[list[Moments]] = [[], []]
    for number, frame in enumerate(frames):
        x = _sample(nearest_in_time(lax, stack, frame), lax, 0, thick).mean(1)
        y = _sample(stack.frames[frame, index], stack, index, beside)
        inside = line.window & ~np.isnan(x).any(0)
        x, y = _about_mean(x), _about_mean(y)
        for half in (0, 1):
            halves[half].append(_moments(x, y, inside & ((blocks + number) % 2 == half)))
    first, second = (reduce(Moments.__add__, half) for half in halves)
    # Samples that the LAX image does not reach are no evidence.
    length = (first.count + second.count) / len(frames) * STEP_MM
    return Crossing(index, view, of_slice, of_view, length, (first, second))


def _about_mean(profiles: np.ndarray) -> np.ndarray:
    """The same less their mean, which keeps sums of squares small; 0 where they are nan."""
    known = ~np.isnan(profiles)
    return np.where(known, profiles - np.mean(profiles, where=known) if known.any() else 0.0, 0.0)


def _moments(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Moments:
    """x: (U, N) profiles of the LAX image. y: (B, N + 2 R) of the slice. weight: (N,) which samples count."""
    weight = weight.astype(float)
    shifted, squared = (sliding_window_view(item, len(weight), axis=1) for item in (y, y * y))
    return Moments(
        float(weight.sum()),
        x @ weight,
        x**2 @ weight,
        shifted @ weight,
        squared @ weight,
        shifted @ (x * weight).T,
    )


def _sample(image: np.ndarray, stack: Stack, index: int, points: np.ndarray, order: int = 1) -> np.ndarray:
    """``image`` (H, W) of slice ``index`` at points (..., 3) LPS mm of its plane; nan beyond its border, 0 of
    labels.
    """
    away = points - stack.origins[index]
    where = [away @ step / (step @ step) for step in (stack.step_y, stack.step_x)]
    fill = 0 if order == 0 else np.nan
    return ndimage.map_coordinates(image, where, float, order, mode="constant", cval=fill)
