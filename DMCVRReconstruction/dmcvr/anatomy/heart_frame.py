"""The heart's own frame in a stack: where it lies in the slices, where its RV is, which end is the apex.

Networks that know hearts by their shapes see them in this frame: z in mm from apex to base, x in the plane
toward the RV, the origin in the plane in the middle of the ventricles. It is right-handed or left-handed as
the stack happens to run; a heart seen in a mirror is a heart to them as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core.labels import BACKGROUND, LVC, LVM, RVC

PIXEL_MM = 2.5
"""Of the lattice in the plane that the networks work on."""
REACH_MM = 12.0
"""Distances are clipped to this, and enter networks in units of it."""

CERTAIN_NARROWING = 0.8


@dataclass(frozen=True)
class HeartFrame:
    """centre: (2,) mm along the slices' x and y from pixel [0, 0]. toward_rv: (2,) unit vector. flipped:
    whether the stack runs from base to apex. narrowing: by what share of its mean the heart's area falls
    toward that apex, over its length. extent: (2,) mm of the ventricles along x and y of the frame.
    """

    centre: np.ndarray
    toward_rv: np.ndarray
    flipped: bool
    narrowing: float
    extent: np.ndarray

    @property
    def axes(self) -> np.ndarray:
        """(2, 2), rows x and y of the frame as seen along the slices' x and y."""
        x, y = self.toward_rv
        return np.array([[x, y], [-y, x]])

    @property
    def is_certain(self) -> bool:
        """Whether the area tells which end is the apex. It does in 180 of ACDC's 200 stacks and is
        right in all of them; stacks that end within the heart may mislead it.
        """
        return self.narrowing >= CERTAIN_NARROWING

    def reversed(self) -> HeartFrame:
        """The same with the apex at the other end."""
        return replace(self, flipped=not self.flipped, narrowing=-self.narrowing)

    def order(self, items: np.ndarray) -> np.ndarray:
        """Something of every slice, (S, ...) from apex to base; undone by calling it again."""
        return items[::-1] if self.flipped else items

    def heights(self, positions: np.ndarray) -> np.ndarray:
        """(S,) mm along the frame's z of positions along the stack, in the same order."""
        return -np.asarray(positions) if self.flipped else np.asarray(positions)

    def lattice(self, shape: tuple[int, int], shift: np.ndarray | None = None) -> np.ndarray:
        """(H, W, 2) mm along the slices' x and y of a lattice of PIXEL_MM about the centre; ``shift`` (2,) mm
        along x and y is added.
        """
        y, x = ((np.arange(count) - (count - 1) / 2) * PIXEL_MM for count in shape)
        points = np.stack(np.meshgrid(x, y), -1) @ self.axes + self.centre
        return points if shift is None else points + shift

    def inverse(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) mm in the frame of points (..., 2) mm along the slices' x and y."""
        return (points - self.centre) @ self.axes.T


def heart_frame(labels: np.ndarray, positions: np.ndarray, spacing: tuple[float, float]) -> HeartFrame | None:
    """The frame of the heart that labels (S, H, W) show, or None where no slice shows the LV.

    positions: (S,) mm, increasing. spacing: (x, y) mm.
    """
    if not np.isin(labels, (LVC, LVM)).any():
        return None
    # The heart is widest near its base.
    change = _change((labels != BACKGROUND).sum((1, 2)), np.asarray(positions, float))
    points = np.argwhere(labels != BACKGROUND)
    at, kinds = points[:, :0:-1] * np.asarray(spacing), labels[tuple(points.T)]
    lv, rv = at[kinds != RVC].mean(0), at[kinds == RVC].mean(0) if (kinds == RVC).any() else None
    toward = np.array([1.0, 0.0]) if rv is None else rv - lv
    toward = toward / np.linalg.norm(toward) if np.linalg.norm(toward) > 0 else np.array([1.0, 0.0])
    across = np.array([-toward[1], toward[0]])
    local = np.stack([at @ toward, at @ across], 1)
    low, high = local.min(0), local.max(0)
    centre = (low + high) / 2
    return HeartFrame(centre[0] * toward + centre[1] * across, toward, change < 0, abs(change), high - low)


def _change(areas: np.ndarray, positions: np.ndarray) -> float:
    """By what share of its mean the area (S,) of the slices that show any changes over their length."""
    shown = areas > 0
    length = float(np.ptp(positions[shown]))
    if length == 0:
        return 0.0
    return float(np.polyfit(positions[shown], areas[shown] / areas[shown].mean(), 1)[0]) * length
