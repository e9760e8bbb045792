"""Agreement of the reconstruction with manual labels on long-axis images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dmcvr.core.geometry import Grid, Plane
from dmcvr.core.labels import NAMES


@dataclass(frozen=True)
class ViewScore:
    """Of one structure in one view. dice: 0 to 1. distance: mean surface distance, mm, or nan."""

    view: str
    structure: str
    dice: float
    distance: float


def scoreView(view: str, labels: np.ndarray, grid: Grid, manual: np.ndarray, plane: Plane) -> list[ViewScore]:
    """Scores of ``labels`` (Z, Y, X) on ``grid``, cut by ``plane``, against ``manual`` ones (H, W) there.

    Structures without manual labels are left out, and so are manual labels beyond the first and last acquired
    slice, where nothing is reconstructed.
    """
    # It imports scikit-image, which Slicer does not include.
    from dmcvr.evaluation.metrics import dice, surface_distances

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
