"""Agreement of a reconstruction with manual labels on a long-axis image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.geometry import Grid, Plane
from ..core.labels import NAMES


@dataclass(frozen=True)
class ViewScore:
    """Of one structure in one view. dice: 0 to 1. distance: mean surface distance, mm, or nan."""

    view: str
    structure: str
    dice: float
    distance: float


def score_view(
    view: str, labels: np.ndarray, grid: Grid, manual: np.ndarray, plane: Plane
) -> list[ViewScore]:
    """Scores of ``labels`` (Z, Y, X) on ``grid``, cut by ``plane``, against ``manual`` ones (H, W) there.

    Structures without manual labels are left out, and so are manual labels beyond the first and last slice of
    the grid, where nothing is reconstructed.
    """
    from .metrics import dice, surface_distances  # scikit-image, which 3D Slicer does not include

    points = plane.points()
    cut = grid.sample(labels, points, order=0)
    height = grid.indices(points)[..., 0]
    covered = (height > -0.5) & (height < grid.shape[0] - 0.5)
    scores = []
    for label, name in NAMES.items():
        theirs = (manual == label) & covered
        if not theirs.any():
            continue
        ours = (cut == label) & covered
        distance = surface_distances(ours, theirs, plane.spacing).assd
        scores.append(ViewScore(view, name, dice(ours, theirs), distance))
    return scores
