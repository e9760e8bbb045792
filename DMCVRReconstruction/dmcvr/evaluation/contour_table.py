"""How far the long-axis (LAX) contours, apex and valves that another tool found lie from surfaces
reconstructed from its short-axis contours alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage, optimize

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
LARGEST_DISPLACEMENT_MM = 10.0
"""A LAX image is taken to be displaced by no more than this."""
COLUMNS = (
    Column("mean, mm", 2, drawn="Mean distance, mm"),
    Column("95th percentile, mm", 2),
    Column("largest, mm", 1),
    Column("mean, images displaced, mm", 2),
    Column("points", 0),
)
NOTES = (
    "Distances of the points to the nearest point of the reconstructed surface, in space. The surfaces are "
    "made from the short-axis contours alone.",
    "Images displaced: each long-axis image is from a breath-hold of its own, so its points are moved "
    f"together by the displacement, up to {LARGEST_DISPLACEMENT_MM:g} mm, that brings its contours closest "
    "to the surfaces.",
    "Shifts from: what the slices were put in register by; shape: the slices' own shapes.",
)
ALIGN = {"nothing": "off", "shape": "shape"}
"""What slices are put in register by, as in the pipeline's options."""


class Surfaces:
    """The surfaces of a reconstruction: how far points lie from those of SURFACES.

    points: whatever is asked for later lies within LARGEST_DISPLACEMENT_MM of these (N, 3) LPS mm.
    """

    def __init__(self, labels: np.ndarray, grid: Grid, points: np.ndarray):
        self._labels, self._grid = labels, grid
        # The labels may end nearer than the points lie.
        places, shape = grid.indices(points), np.array(labels.shape)
        margin = np.ceil(LARGEST_DISPLACEMENT_MM / np.array(grid.spacing[::-1])) + 1
        self._before = (np.maximum(np.ceil(-places.min(0)), 0) + margin).astype(int)
        after = (np.maximum(np.ceil(places.max(0) - shape + 1), 0) + margin).astype(int)
        self._padding = list(zip(self._before, after, strict=True))
        self._distances: dict[tuple[int, ...], np.ndarray | None] = {}

    def away(self, kind: str, points: np.ndarray) -> np.ndarray:
        """(N,) mm of points (N, 3) LPS mm to the surface that points of ``kind`` lie on; nan without one.

        The surface lies half a voxel, of the finest spacing, beyond the outermost centres within.
        """
        members = SURFACES[kind]
        if members not in self._distances:
            self._distances[members] = self._signed(np.isin(self._labels, members))
        signed = self._distances[members]
        if signed is None:
            return np.full(len(points), np.nan)
        places = self._grid.indices(points) + self._before
        return np.abs(ndimage.map_coordinates(signed, places.T, order=1, mode="nearest"))

    def _signed(self, mask: np.ndarray) -> np.ndarray | None:
        """mm of every voxel from the surface of ``mask``, with the padding."""
        if not mask.any():
            return None
        padded, spacing = np.pad(mask, self._padding), self._grid.spacing[::-1]
        outside, inside = (ndimage.distance_transform_edt(item, spacing) for item in (~padded, padded))
        half = min(spacing) / 2
        signed: np.ndarray = np.where(padded, inside - half, half - outside).astype(np.float32)
        return signed


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
    """Distances by kind of point, by what the slices were put in register by, and by method. Their own
    shapes tell their shifts where the model has learned of them. done: called after each case.
    """
    sources = ALIGN if model is not None and model.shifts is not None else ("nothing",)
    rows = []
    for case in cases:
        for source in sources:
            options = replace(comparison.options, align=ALIGN[source])
            chosen = replace(comparison, options=options)
            for method, result in reconstructions(case.stack, case.labels, model, chosen):
                if result is not None:
                    rows += contour_rows(case.name, (source, method), case.points, result)
        done()
    order = [*SURFACES, ALL]
    rows.sort(key=lambda row: order.index(row.group[0]))
    return Table(
        "Distances of contour points", ("points", "shifts from", "method"), COLUMNS, tuple(rows), NOTES
    )


def contour_rows(
    case: str, group: tuple[str, ...], points: ContourPoints, result: Reconstruction
) -> list[Row]:
    """One row a kind of point that there is, and one for the LAX contours together."""
    points = points.select(np.isin(points.kinds, list(SURFACES)))
    if not len(points.kinds):
        return []
    surfaces = Surfaces(result.labels[0], result.grid, points.places)
    displaced = np.array(points.places)
    for image in np.unique(points.images):
        mine = points.images == image
        displaced[mine] += image_displacement(points.select(mine), surfaces)
    distances = {
        kind: np.stack(
            [surfaces.away(kind, where[points.kinds == kind]) for where in (points.places, displaced)]
        )
        for kind in SURFACES
        if kind in points.kinds
    }
    contours = [found for kind, found in distances.items() if kind.startswith("LAX_")]
    if contours:
        distances[ALL] = np.concatenate(contours, axis=1)
    return [Row(case, (kind, *group), _values(*found)) for kind, found in distances.items()]


def image_displacement(points: ContourPoints, surfaces: Surfaces) -> np.ndarray:
    """(3,) LPS mm by which the points of one image lie closest to the ``surfaces`` on average, the LAX
    contours counting; 0 of an image without any.
    """
    own = {kind: points.of(kind) for kind in np.unique(points.kinds) if kind.startswith("LAX_")}
    if not own:
        return np.zeros(3)

    def distance(moved: np.ndarray) -> float:
        too_far = max(float(np.linalg.norm(moved)) - LARGEST_DISPLACEMENT_MM, 0.0)
        away = [surfaces.away(kind, where + moved) for kind, where in own.items()]
        return float(np.concatenate(away).mean()) + too_far

    # Kinks where the nearest surface changes call for a search without derivatives.
    simplex = 3.0 * np.vstack([np.zeros(3), np.eye(3)])
    settings = {"initial_simplex": simplex, "xatol": 0.05, "fatol": 0.005}
    found: np.ndarray = optimize.minimize(distance, np.zeros(3), method="Nelder-Mead", options=settings).x
    return found


def _values(distances: np.ndarray, displaced: np.ndarray) -> dict[str, float]:
    return {
        "mean, mm": float(distances.mean()),
        "95th percentile, mm": float(np.percentile(distances, 95)),
        "largest, mm": float(distances.max()),
        "mean, images displaced, mm": float(displaced.mean()),
        "points": float(len(distances)),
    }
