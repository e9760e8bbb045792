"""Labels by nested signed distances, the strong rule for labels; images by the straight line."""

from __future__ import annotations

import numpy as np

from ..anatomy.distance_interpolation import apical_end, between, heart_areas
from ..anatomy.signed_distances import WHOLE_MM, labels_from_distances, nested_distances
from ..core.positions import bracket
from .weighted import apply_weights, linear_weights


def interpolate(frame, labels, positions, wanted, spacing):
    """See `protocol.Interpolate` for the arguments."""
    distances = nested_distances(labels, spacing, WHOLE_MM)
    apex = apical_end(heart_areas(labels), positions)
    images = apply_weights(linear_weights(positions, wanted), frame)
    out = np.empty((len(wanted), *labels.shape[1:]), np.uint8)
    for row, below, above, t in zip(out, *bracket(positions, wanted), strict=True):
        row[:] = labels_from_distances(between(distances[below], distances[above], t, apex))
    return images, out
