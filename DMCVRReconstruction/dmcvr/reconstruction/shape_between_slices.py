"""The heart's shape between the slices of one frame on the straight line of eq. 5, and not beyond them."""

from __future__ import annotations

import numpy as np

from ..anatomy.distance_interpolation import apical_end, heart_areas, interpolate_distances
from ..anatomy.signed_distances import WHOLE_MM, nested_distances
from ..core.stack import Stack


class ShapeBetweenSlices:
    """The shape between the slices of one frame: a straight ``stack`` and its labels (S, H, W)."""

    def __init__(self, stack: Stack, labels: np.ndarray):
        self._positions = stack.positions
        self._maps = nested_distances(labels, stack.spacing, WHOLE_MM)
        self._apex = apical_end(heart_areas(labels), stack.positions)

    def at(self, wanted: np.ndarray) -> np.ndarray:
        """Nested distances (Z, 3, H, W) in mm at the positions ``wanted`` (Z,); at a slice's own its own."""
        return interpolate_distances(self._maps, self._positions, wanted, self._apex)
