"""Nearest, linear and B-spline interpolation: each output slice is a fixed weighted sum of the acquired ones.

A method is its weight matrix (Z, S). Images are weights @ slices. For labels the weights are applied to the
indicator of every label, and the largest sum wins. With the two weights of the linear rule that is the label
of the nearer slice, so `linear` differs from `nearest` in its images alone.

Half-way between two slices both count half, images and areas of labels: within `HALF_WAY` of the middle one
is handed over to the other, so that rounding of positions does not decide.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..anatomy.distance_interpolation import HALF_WAY, hand_over, nearer_share
from ..anatomy.signed_distances import CAVITY, RIGHT, WHOLE, WHOLE_MM, labels_from_distances, nested_distances
from ..core.labels import BACKGROUND, LVC, LVM, RVC
from ..core.positions import bracket


def nearest_weights(positions: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(Z, S): 1 for the nearest slice, 1/2 for two equally near ones."""
    below, above, t = bracket(positions, wanted)
    unit = np.eye(len(positions))
    share = np.array([nearer_share(value) for value in t])[:, None]
    return share * unit[below] + (1 - share) * unit[above]


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


def labels_by(
    weigh: Callable[[np.ndarray, np.ndarray], np.ndarray],
    labels: np.ndarray,
    positions: np.ndarray,
    wanted: np.ndarray,
    spacing: tuple[float, float],
) -> np.ndarray:
    """Labels (Z, H, W) uint8 of the largest sum of the weights (Z, S) that ``weigh`` gives; about half-way
    between slices, where sums are equal, of the area that is due to either side.
    """
    out = largest_label(weigh(positions, wanted), labels)
    below, above, t = bracket(positions, wanted)
    for z in np.flatnonzero(np.abs(t - 0.5) < HALF_WAY):
        gap = positions[above[z]] - positions[below[z]]
        sides = positions[below[z]] + (0.5 + HALF_WAY * np.array([-1, 1])) * gap
        drawn = largest_label(weigh(positions, sides), labels)
        lower, upper = nested_distances(drawn, spacing, WHOLE_MM)
        share = nearer_share(t[z])
        cavity, whole = (hand_over(lower[channel], upper[channel], share) for channel in (CAVITY, WHOLE))
        right = hand_over(lower[RIGHT], upper[RIGHT], share, taken=whole > 0)
        out[z] = labels_from_distances(np.stack([cavity, whole, right]))
    return out


def nearest(frame, labels, positions, wanted, spacing):
    """The nearest slice, repeated; see `protocol.Interpolate` for the arguments."""
    weights = nearest_weights(positions, wanted)
    return apply_weights(weights, frame), labels_by(nearest_weights, labels, positions, wanted, spacing)


def linear(frame, labels, positions, wanted, spacing):
    """The straight line between the two neighbours; see `protocol.Interpolate` for the arguments."""
    return (
        apply_weights(linear_weights(positions, wanted), frame),
        labels_by(nearest_weights, labels, positions, wanted, spacing),
    )


def bspline(frame, labels, positions, wanted, spacing):
    """A natural cubic spline through all slices; see `protocol.Interpolate` for the arguments."""
    weights = bspline_weights(positions, wanted)
    return apply_weights(weights, frame), labels_by(bspline_weights, labels, positions, wanted, spacing)
