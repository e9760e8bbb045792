"""The short-axis (SAX) stack as data: what every way in delivers and every method takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .errors import InputError
from .frame_times import nearest_frame
from .geometry import Grid, Plane, unit

Choice = Sequence[int] | slice | np.ndarray
"""Some of the items along one axis, as numpy takes them."""


@dataclass(frozen=True)
class Stack:
    """Parallel slices over time, sorted along their normal, each at its true place.

    frames: (T, S, H, W) float32, intensities as stored; T frames of S slices.
    origins: (S, 3) LPS mm, centre of pixel [0, 0] of every slice; gaps may differ, and a slice may be
        displaced in its plane against its neighbours.
    step_x, step_y: (3,) mm, to the next column (row); the same for all slices.
    times: (T,) ms after the R wave, or None where the file does not say.
    """

    frames: np.ndarray
    origins: np.ndarray
    step_x: np.ndarray
    step_y: np.ndarray
    times: np.ndarray | None = None

    @property
    def normal(self) -> np.ndarray:
        """(3,) unit vector along which the slices are sorted, step_x cross step_y."""
        return unit(np.cross(self.step_x, self.step_y))

    @property
    def positions(self) -> np.ndarray:
        """(S,) mm along the normal from the first slice, increasing."""
        positions: np.ndarray = (self.origins - self.origins[0]) @ self.normal
        return positions

    @property
    def gaps(self) -> np.ndarray:
        """(S-1,) mm between neighbours."""
        return np.diff(self.positions)

    @property
    def spacing(self) -> tuple[float, float]:
        """In-plane (x, y) in mm."""
        return float(np.linalg.norm(self.step_x)), float(np.linalg.norm(self.step_y))

    def plane(self, index: int) -> Plane:
        """The plane of slice ``index``."""
        return Plane(self.origins[index], self.step_x, self.step_y, self.frames.shape[2:])

    def select(self, *, frames: Choice | None = None, slices: Choice | None = None) -> Stack:
        """The same stack with only the given frames and slices."""
        data = self.frames if frames is None else self.frames[frames]
        times = self.times if frames is None or self.times is None else self.times[frames]
        if slices is None:
            return replace(self, frames=data, times=times)
        return replace(self, frames=data[:, slices], origins=self.origins[slices], times=times)


def nearest_in_time(lax: Stack, stack: Stack, frame: int) -> np.ndarray:
    """(H, W) the image of ``lax``, a stack of one slice, nearest in time to ``frame`` of ``stack``.

    By trigger time where both know it, else by the fraction of the cycle.
    """
    time = None if stack.times is None else float(stack.times[frame])
    nearest = nearest_frame(len(lax.frames), lax.times, time, frame / len(stack.frames))
    image: np.ndarray = lax.frames[nearest, 0]
    return image


def stack_grid(stack: Stack) -> Grid:
    """The regular grid a stack lies on. Raises InputError if its slices do not lie on one."""
    step = (stack.origins[-1] - stack.origins[0]) / (len(stack.origins) - 1)
    expected = stack.origins[0] + np.arange(len(stack.origins))[:, None] * step
    if np.linalg.norm(stack.origins - expected, axis=1).max() > 0.01:
        raise InputError(
            "The slices lie at irregular places, which one image file cannot hold; use dmcvr reconstruct."
        )
    return Grid(stack.origins[0], stack.step_x, stack.step_y, step, stack.frames.shape[1:])
