"""How thick the wall of the left ventricle is, in 3D.

At a point of the mid-wall surface, which lies as far from the endocardium as from the epicardium, thickness
is the sum of its distances to both. It is exact where the two are parallel surfaces, whatever their
curvature, and it does not depend on how slices cut the wall. For walls that taper it differs from the length
of the lines of Yezzi and Prince (IEEE Trans Med Imaging 22:1332, 2003), which also meet both borders at right
angles, by the square of the taper only; no equation has to be solved for it.

Towards the base the wall is cut off. Its rim is no epicardium, so neither border is looked for there.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, spatial
from skimage import measure

from ..core.geometry import Grid
from ..core.labels import LVC, LVM
from .long_axis import LongAxis

SMOOTH_MM = 1.0
"""Of the masks, so that their surfaces are none of steps. It moves a surface of 25 mm radius by 0.04 mm."""
RIM_MM = 3.0
"""Above this far below its rim the wall is not measured: the rim is not level, and voxels are steps."""
SECTORS = 72
"""About the long axis, in each of which the rim has a height."""
NEIGHBOURS = 8
"""Points of the mid-wall whose mean is the thickness at a point of the wall's surface."""


@dataclass(frozen=True)
class AxisCoordinates:
    """Cylinder coordinates about a ventricle's long axis.

    heights: (N,) mm along it from its centre towards the base. angles: (N,) degrees from the direction to the
    RV, -180 to 180, positive towards the inferior wall.
    """

    heights: np.ndarray
    angles: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, axis: LongAxis) -> AxisCoordinates:
        """Of (N, 3) LPS points."""
        away = points - axis.centre
        towards_rv, towards_inferior = away @ axis.rv, away @ np.cross(axis.apex, axis.rv)
        return cls(-(away @ axis.apex), np.degrees(np.arctan2(towards_inferior, towards_rv)))

    @property
    def sectors(self) -> np.ndarray:
        """(N,) of SECTORS, the first from -180 degrees on."""
        return ((self.angles + 180) / 360 * SECTORS).astype(int) % SECTORS

    def __getitem__(self, chosen: np.ndarray) -> AxisCoordinates:
        return AxisCoordinates(self.heights[chosen], self.angles[chosen])


@dataclass(frozen=True)
class MidWall:
    """The left ventricle's wall, measured.

    points: (N, 3) LPS mm on the mid-wall surface, evenly spread over it. coordinates: theirs about the
    axis. thickness: (N,) mm there. epicardium: (M, 3) LPS mm, points of it. rim: (SECTORS,) mm, the height
    at which the wall ends, -inf where there is none.
    """

    points: np.ndarray
    coordinates: AxisCoordinates
    thickness: np.ndarray
    epicardium: np.ndarray
    rim: np.ndarray

    def thickness_at(self, points: np.ndarray, axis: LongAxis) -> np.ndarray:
        """(N,) mm at ``points`` (N, 3) LPS mm in the wall or on its surface; 0 where it was not measured,
        near the rim. axis: that about which it was measured.
        """
        measured = _below_rim(AxisCoordinates.of(points, axis), self.rim)
        out = np.zeros(len(points))
        if measured.any():
            count = min(NEIGHBOURS, len(self.points))
            nearest = spatial.cKDTree(self.points).query(points[measured], range(1, count + 1))[1]
            out[measured] = self.thickness[nearest].mean(1)
        return out


def mid_wall(labels: np.ndarray, grid: Grid, axis: LongAxis) -> MidWall | None:
    """Measure the wall in ``labels`` (Z, Y, X) on ``grid``; None where the cavity, or all of its wall, is
    missing or too thin to have a surface.
    """
    steps = mid_wall_in_steps(labels, grid, axis)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: MidWall | None = end.value
            return found


def mid_wall_in_steps(
    labels: np.ndarray, grid: Grid, axis: LongAxis
) -> Generator[None, None, MidWall | None]:
    """As ``mid_wall``, which it returns, yielding after each part of some hundredths of a second, for a
    window that must not freeze meanwhile.
    """
    cavity, wall = labels == LVC, labels == LVM
    if not cavity.any() or not wall.any():
        return None
    voxels = grid.position(np.argwhere(wall))
    place = AxisCoordinates.of(voxels, axis)
    rim = np.full(SECTORS, -np.inf)
    np.maximum.at(rim, place.sectors, place.heights)
    yield
    surfaces = []
    for mask in (cavity, cavity | wall):
        surface = surface_points(mask, grid)
        surfaces.append(surface[_below_rim(AxisCoordinates.of(surface, axis), rim)])
        yield
    endocardium, epicardium = surfaces
    measured = _below_rim(place, rim)
    if not len(endocardium) or not len(epicardium) or not measured.any():
        return None
    away = []
    for surface in surfaces:
        away.append(spatial.cKDTree(surface).query(voxels[measured])[0])
        yield
    inward, outward = away
    middle = np.abs(inward - outward) <= max(grid.spacing) / 2
    return MidWall(
        voxels[measured][middle], place[measured][middle], (inward + outward)[middle], epicardium, rim
    )


def _below_rim(coordinates: AxisCoordinates, rim: np.ndarray) -> np.ndarray:
    """(N,) whether the wall is measured there, which it is not near its ``rim``."""
    below: np.ndarray = coordinates.heights < rim[coordinates.sectors] - RIM_MM
    return below


def surface_points(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """(N, 3) LPS mm on the surface of ``mask`` (Z, Y, X), closer together than voxels are; none of what is so
    thin that smoothing leaves nothing of it.
    """
    margin = 3
    low, high = np.argwhere(mask).min(0), np.argwhere(mask).max(0) + 1
    part = np.pad(mask[tuple(map(slice, low, high))].astype(np.float32), margin)
    smooth = ndimage.gaussian_filter(part, [SMOOTH_MM / step for step in grid.spacing[::-1]])
    if smooth.max() <= 0.5:
        return np.empty((0, 3))
    vertices = measure.marching_cubes(smooth, 0.5)[0]
    return grid.position(vertices + low - margin)
