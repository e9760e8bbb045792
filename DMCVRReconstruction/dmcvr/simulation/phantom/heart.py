"""The beating heart in its place in the body, and the labels of its ventricles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ...core.geometry import unit
from ...core.labels import LVC, LVM, RVC
from .config import PhantomConfig
from .shapes import squared_norm
from .ventricles import Distances, Ventricles, ventricles

BASE_LPS = np.array([10.0, -12.0, 8.0])  # middle of the LV's valve plane at ED, body coordinates

# Heart coordinates of a heart of scale 1, w counted from the moving valve plane.
MITRAL = np.array([-6.0, -7.0, 0.0])
AORTIC = np.array([9.0, 15.5, 2.0])
TRICUSPID = np.array([48.0, -14.0, -12.0])
PULMONARY = np.array([15.0, 47.0, 2.0])


@dataclass(frozen=True)
class Heart:
    """One moment of one patient's heart, in its place in the body."""

    config: PhantomConfig
    chambers: Ventricles

    @classmethod
    def at(cls, config: PhantomConfig, phase: float) -> Heart:
        return cls(config, ventricles(config, float(phase)))

    @cached_property
    def axes(self) -> np.ndarray:
        """(3, 3), rows u, v, w: LPS unit vectors of the heart coordinates."""
        w = -self.config.apex_direction
        u = np.array([-0.92, -0.27, -0.29])
        u = unit(u - (u @ w) * w)
        return np.stack([u, np.cross(w, u), w])

    def to_body(self, points: ArrayLike) -> np.ndarray:
        """LPS of (..., 3) heart coordinates."""
        return BASE_LPS + np.asarray(points) @ self.axes

    def to_heart(self, points: np.ndarray) -> np.ndarray:
        """Heart coordinates of (..., 3) LPS."""
        return ((points - BASE_LPS.astype(np.float32)) @ self.axes.T.astype(np.float32)).astype(np.float32)

    def landmark(self, relative: ArrayLike) -> np.ndarray:
        """Heart coordinates of a landmark given as for a heart of scale 1 from the valve plane."""
        return np.asarray(relative) * self.config.scale + [0, 0, self.chambers.base]

    @property
    def apex(self) -> np.ndarray:
        """Heart coordinates of the tip of the LV cavity."""
        return self.chambers.place(1.0, 0.0, 0.0)

    @property
    def ball(self) -> tuple[np.ndarray, float]:
        """Centre (LPS) and radius of a ball that holds both ventricles at any moment."""
        length, scale = self.chambers.length, self.config.scale
        half = 0.5 * length + 8
        return self.to_body([22 * scale, 5 * scale, -half + 8]), half + 42 * scale + self.chambers.wall

    def labels(self, points: np.ndarray) -> np.ndarray:
        """(N,) uint8 ventricle labels of (N, 3) LPS points; papillary muscles count as cavity."""
        out = np.zeros(len(points), np.uint8)
        centre, radius = self.ball
        near = np.flatnonzero(squared_norm(points - centre.astype(np.float32)) < radius**2)
        out[near] = classify(self.chambers.distances(self.to_heart(points[near])))
        return out


def classify(distances: Distances) -> np.ndarray:
    """(N,) uint8 labels."""
    labels = np.where(distances.rvc < 0, RVC, 0).astype(np.uint8)
    labels[distances.lv < 0] = LVM
    labels[distances.lvc < 0] = LVC
    return labels
