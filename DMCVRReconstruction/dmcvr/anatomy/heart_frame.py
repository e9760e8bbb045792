"""The heart's own frame in a stack: where it lies in the slices, where its RV is, which end is the apex.

Networks that know hearts by their shapes see them in this frame: z in mm from apex to base, x in the plane
toward the RV, the origin in the plane in the middle of the ventricles. It is right-handed or left-handed as
the stack happens to run; a heart seen in a mirror is a heart to them as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.labels import BACKGROUND, LVC, LVM, RVC

PIXEL_MM = 2.5
"""Of the lattice in the plane that the networks work on."""
REACH_MM = 12.0
"""Distances are clipped to this, and enter networks in units of it."""


@dataclass(frozen=True)
class HeartFrame:
    """centre: (2,) mm along the slices' x and y from pixel [0, 0]. toward_rv: (2,) unit vector. flipped:
    whether the stack runs from base to apex. extent: (2,) mm of the ventricles along x and y of the frame.
    """

    centre: np.ndarray
    toward_rv: np.ndarray
    flipped: bool
    extent: np.ndarray

    @property
    def axes(self) -> np.ndarray:
        """(2, 2), rows x and y of the frame as seen along the slices' x and y."""
        x, y = self.toward_rv
        return np.array([[x, y], [-y, x]])

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
    areas = (labels != BACKGROUND).sum((1, 2))
    middle = np.average(positions, weights=areas)
    shown = areas > 0
    # The heart is widest near its base.
    flipped = float(((positions - middle) * (areas - areas[shown].mean()))[shown].sum()) < 0
    points = np.argwhere(labels != BACKGROUND)
    at, kinds = points[:, :0:-1] * np.asarray(spacing), labels[tuple(points.T)]
    lv, rv = at[kinds != RVC].mean(0), at[kinds == RVC].mean(0) if (kinds == RVC).any() else None
    toward = np.array([1.0, 0.0]) if rv is None else rv - lv
    toward = toward / np.linalg.norm(toward) if np.linalg.norm(toward) > 0 else np.array([1.0, 0.0])
    across = np.array([-toward[1], toward[0]])
    local = np.stack([at @ toward, at @ across], 1)
    low, high = local.min(0), local.max(0)
    centre = (low + high) / 2
    return HeartFrame(centre[0] * toward + centre[1] * across, toward, flipped, high - low)
