"""Nearest, linear and B-spline interpolation: each output slice is a fixed weighted sum of the acquired ones.

A method is its weight matrix (Z, S). Images are weights @ slices. For labels the weights are applied to the
indicator of every label, and the largest sum wins. With the two weights of the linear rule that is the label
of the nearer slice, so `linear` differs from `nearest` in its images alone.

Half-way between two slices, and within `TIE` of it, the lower one counts as nearer, so that rounding of
positions does not decide.
"""

from __future__ import annotations

import numpy as np

from ..core.labels import BACKGROUND, LVC, LVM, RVC
from ..core.positions import bracket

TIE = 2e-3
"""Share of a gap: 0.02 mm in gaps of 10 mm, of which DICOM's rounding of positions is a twentieth."""


def nearest_weights(positions: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(Z, S): 1 for the nearest slice, of two equally near ones the lower."""
    below, above, t = bracket(positions, wanted)
    return np.eye(len(positions))[np.where(t > 0.5 + TIE, above, below)]


def linear_weights(positions: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(Z, S): 1 - t and t for the two neighbours."""
    below, above, t = bracket(positions, wanted)
    unit = np.eye(len(positions))
    return (1 - t)[:, None] * unit[below] + t[:, None] * unit[above]


def bspline_weights(positions: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(Z, S): the natural cubic spline through all slices at their true positions."""
    from scipy.interpolate import CubicSpline  # which every other method would wait for

    below, _, t = bracket(positions, wanted)
    unit = np.eye(len(positions))
    if len(positions) == 1:
        return unit[below]
    weights = CubicSpline(positions, unit, bc_type="natural")(wanted)
    return np.where(t[:, None] == 0, unit[below], weights)


def apply_weights(weights: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Images (Z, H, W) float32 from weights (Z, S) and slices (S, H, W)."""
    return np.tensordot(weights.astype(np.float32), frame.astype(np.float32), 1)


def largest_label(weights: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Labels (Z, H, W) uint8 from weights (Z, S) and labels (S, H, W); of equal sums the lower label wins."""
    classes = (BACKGROUND, LVC, LVM, RVC)
    return np.stack([apply_weights(weights, labels == label) for label in classes]).argmax(0).astype(np.uint8)


def nearest(frame, labels, positions, wanted, spacing):
    """The nearest slice, repeated; see `protocol.Interpolate` for the arguments."""
    weights = nearest_weights(positions, wanted)
    return apply_weights(weights, frame), largest_label(weights, labels)


def linear(frame, labels, positions, wanted, spacing):
    """The straight line between the two neighbours; see `protocol.Interpolate` for the arguments."""
    return (
        apply_weights(linear_weights(positions, wanted), frame),
        largest_label(nearest_weights(positions, wanted), labels),
    )


def bspline(frame, labels, positions, wanted, spacing):
    """A natural cubic spline through all slices; see `protocol.Interpolate` for the arguments."""
    weights = bspline_weights(positions, wanted)
    below, _, t = bracket(positions, wanted)
    lower = TIE * np.eye(len(positions))[below] * (t > 0)[:, None]
    return apply_weights(weights, frame), largest_label(weights + lower, labels)
