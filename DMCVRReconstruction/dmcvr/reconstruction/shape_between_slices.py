"""The heart's shape between the slices of one frame: eq. 5's straight line, and what was learned on it.

The straight line through two slices' nested distances is `shape.interpolate_distances`. A heart bulges and
tapers, so a small network adds a residual where a structure is in both slices; it knows the shapes of four.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch

from ..anatomy.distance_interpolation import apical_end, heart_areas, interpolate_distances
from ..anatomy.signed_distances import WHOLE_MM, nested_distances, structures_shown
from ..core.geometry import sample_plane
from ..core.positions import bracket
from ..core.stack import Stack
from ..model.inference import Model
from .output_grid import window_plane

ALIKE = (0.5, 1.5)
"""A slice beyond a gap counts if it lies this many gaps further; the network was trained with one."""


class ShapeBetweenSlices:
    """The shape between the slices of one frame.

    stack: straight. labels: (S, H, W) of its slices. model: None for the straight line alone, which it also
        is for a preset without an interpolator. centre: (3,) LPS mm, the middle of the heart's window in the
        first slice.
    """

    def __init__(self, stack: Stack, labels: np.ndarray, model: Model | None, centre: np.ndarray):
        self._positions = stack.positions
        self._maps = nested_distances(labels, stack.spacing, WHOLE_MM)
        self._apex = apical_end(heart_areas(labels), stack.positions)
        self._residual = None
        if model is not None and model.interpolator is not None:
            self._residual = LearnedResidual(stack, self._maps, model, centre)

    def at(self, wanted: np.ndarray) -> np.ndarray:
        """Nested distances (Z, 3, H, W) in mm at the positions ``wanted`` (Z,); at a slice's own its own."""
        maps = interpolate_distances(self._maps, self._positions, wanted, self._apex)
        if self._residual is not None:
            below, above, fraction = bracket(self._positions, wanted)
            inner = np.flatnonzero(below != above)
            if len(inner):
                maps[inner] += self._residual(below[inner], fraction[inner])
        return maps


class LearnedResidual:
    """What a model with an interpolator has learned to add to the straight line.

    maps: (S, 3, H, W) mm, nested distances of the slices; the rest as in `ShapeBetweenSlices`.
    """

    def __init__(self, stack: Stack, maps: np.ndarray, model: Model, centre: np.ndarray):
        self._positions, self._plane, self._maps, self._model = stack.positions, stack.plane(0), maps, model
        size = model.preset.interpolator_config.size
        self._grid = window_plane(self._plane, centre, size, model.preset.interpolator_mm)

    @cached_property
    def _coarse(self) -> np.ndarray:
        """(S, 3, size, size) mm, the slices' maps on the interpolator's grid."""
        return np.stack(
            [
                [sample_plane(item, self._plane, self._grid, fill=-WHOLE_MM) for item in maps]
                for maps in self._maps
            ]
        )

    def __call__(self, below: np.ndarray, fraction: np.ndarray) -> np.ndarray:
        """(N, 3, H, W) mm to add on the straight line, ``fraction`` (N,) of the way from slice ``below``."""
        neighbours = below[:, None] + np.array([0, 1, -1, 2])
        gap, beyond = self._gaps(below)
        maps = self._coarse[np.clip(neighbours, 0, len(self._positions) - 1)]
        numbers = (torch.from_numpy(item.astype(np.float32)) for item in (beyond, fraction, gap))
        residual = self._model.shape_residual(torch.from_numpy(maps), *numbers).cpu().numpy()
        shown = structures_shown(self._maps)
        residual *= (shown[below] & shown[below + 1])[..., None, None]
        return np.stack([[sample_plane(item, self._grid, self._plane) for item in maps] for maps in residual])

    def _gaps(self, below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N,) mm from the slices ``below`` to the next, and (N, 2) whether one like it follows beyond."""
        positions = np.concatenate([[-np.inf], self._positions, [np.inf]])
        gaps = np.diff(positions)
        gap = gaps[below + 1]
        ratio = np.stack([gaps[below], gaps[below + 2]], 1) / gap[:, None]
        return gap, (ratio >= ALIKE[0]) & (ratio <= ALIKE[1])
