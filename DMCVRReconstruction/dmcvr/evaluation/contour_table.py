"""How far the long-axis (LAX) contours, apex and valves that another tool found lie from surfaces
reconstructed from its short-axis contours alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..core.geometry import Grid
from ..core.labels import LVC, LVM, RVC
from ..core.stack import Stack
from ..model.inference import Model
from ..reconstruction.result import Reconstruction
from .contour_points import ContourPoints
from .methods import Comparison, reconstructions
from .summary import Column, Row, Table

SURFACES: dict[str, tuple[int, ...]] = {
    "LAX_LV_ENDOCARDIAL": (LVC,),
    "LAX_LV_EPICARDIAL": (LVC, LVM),
    "LAX_RV_ENDOCARDIAL": (RVC,),
    "APEX_POINT": (LVC,),
    "MITRAL_VALVE": (LVC,),
    "AORTA_VALVE": (LVC,),
    "TRICUSPID_VALVE": (RVC,),
}
"""The labels whose surface a kind of points lies on; biv-me's apex is that of the endocardium."""
ALL = "all LAX contours"
COLUMNS = (
    Column("mean, mm", 2, drawn="Mean distance, mm"),
    Column("95th percentile, mm", 2),
    Column("largest, mm", 1),
    Column("points", 0),
)
NOTES = (
    "Distances of the points to the nearest point of the reconstructed surface, in space. The surfaces are "
    "made from the short-axis contours alone; long-axis images have breath-holds of their own, left as is.",
)


def surface_distances_mm(points: np.ndarray, mask: np.ndarray, grid: Grid) -> np.ndarray:
    """(N,) mm of points (N, 3) LPS mm to the surface of ``mask`` (Z, Y, X), in voxels' parts; nan without
    one.

    The surface lies half a voxel, of the finest spacing, beyond the outermost centres within.
    """
    if not mask.any():
        return np.full(len(points), np.nan)
    places = grid.indices(points)
    # The mask may end nearer than the points lie.
    before = np.maximum(np.ceil(-places.min(0)), 0).astype(int) + 1
    after = np.maximum(np.ceil(places.max(0) - np.array(mask.shape) + 1), 0).astype(int) + 1
    padded = np.pad(mask, list(zip(before, after, strict=True)))
    spacing = grid.spacing[::-1]
    outside, inside = (ndimage.distance_transform_edt(item, spacing) for item in (~padded, padded))
    signed = np.where(padded, inside - min(spacing) / 2, min(spacing) / 2 - outside)
    return np.abs(ndimage.map_coordinates(signed, (places + before).T, order=1))


@dataclass(frozen=True)
class ContourCase:
    """A frame of another tool's contours. name: of the frame. stack, labels: its short-axis slices, see
    `contour_slices`. points: all of its points.
    """

    name: str
    stack: Stack
    labels: np.ndarray
    points: ContourPoints


def contour_table(
    cases: Sequence[ContourCase],
    model: Model | None,
    comparison: Comparison,
    done: Callable[[], None] = lambda: None,
) -> Table:
    """Distances by kind of point and method. done: called after each case."""
    rows = []
    for case in cases:
        for method, result in reconstructions(case.stack, case.labels, model, comparison):
            if result is not None:
                rows += contour_rows(case.name, method, case.points, result)
        done()
    order = [*SURFACES, ALL]
    rows.sort(key=lambda row: order.index(row.group[0]))
    return Table("Distances of contour points", ("points", "method"), COLUMNS, tuple(rows), NOTES)


def contour_rows(case: str, method: str, points: ContourPoints, result: Reconstruction) -> list[Row]:
    """One row a kind of point that there is, and one for the LAX contours together."""
    found: dict[str, np.ndarray] = {}
    for kind, members in SURFACES.items():
        places = points.of(kind)
        if len(places):
            mask = np.isin(result.labels[0], members)
            found[kind] = surface_distances_mm(places, mask, result.grid)
    contours = [distances for kind, distances in found.items() if kind.startswith("LAX_")]
    if contours:
        found[ALL] = np.concatenate(contours)
    return [Row(case, (kind, method), _values(distances)) for kind, distances in found.items()]


def _values(distances: np.ndarray) -> dict[str, float]:
    return {
        "mean, mm": float(distances.mean()),
        "95th percentile, mm": float(np.percentile(distances, 95)),
        "largest, mm": float(distances.max()),
        "points": float(len(distances)),
    }
