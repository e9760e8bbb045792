"""The ventricles' surfaces as triangle meshes, with the same vertices in every frame of a beat.

Labels are what a result's files hold, so surfaces are made from labels: of each structure a signed distance,
smoothed, whose zero encloses the labels' volume. The mesh of one frame, the template, is deformed to the
distances of all others: first by the affine map that gives its volume the other's mean and covariance (the
optimal transport between two normal distributions; Peyre and Cuturi, Computational Optimal Transport, remark
2.31), then by steps along the distances' gradients that are smoothed over the mesh, less and less. So a
vertex is about the same place of the wall in all frames. All geometry is that of the grid's axes in mm, until
the vertices are handed out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse

from ..core.geometry import Grid
from ..core.labels import LVC, LVM, RVC
from .mesh_template import template_mesh
from .pieces import largest_piece

SURFACES = {"lv_endocardium": (LVC,), "lv_epicardium": (LVC, LVM), "rv_endocardium": (RVC,)}
"""The labels that each surface encloses."""
SMOOTH_MM = 2.0
"""Standard deviation by which distances are smoothed: more than a voxel, to leave no step of the labels."""
MARGIN_MM = 15.0
"""Of the distances about the structure, in all frames."""
PASSES = (24, 12, 6, 3, 2, 1)
"""How often steps are averaged over neighbours, from the first to the last."""
STEPS = 3
"""With each number of passes."""
RELAX = 0.3
"""Share of the way to the middle of its neighbours that a vertex goes within the surface at each step."""
LAST_STEPS = 3
"""Onto the surface itself, without averaging."""
SMALLEST_MM = 5.0
"""Side of a cube that a structure must hold: of less the lattice on which surfaces are found may see nothing.
"""


@dataclass(frozen=True)
class Surface:
    """A closed surface over T frames, whose vertices correspond.

    points: (T, N, 3) LPS mm. triangles: (M, 3) indices of vertices, counter-clockwise as seen from outside.
    """

    points: np.ndarray
    triangles: np.ndarray

    @property
    def volumes(self) -> np.ndarray:
        """(T,) ml that the surface encloses, above 0 where it is oriented outward."""
        return np.array([enclosed(points, self.triangles) for points in self.points]) / 1000


def surfaces(labels: np.ndarray, grid: Grid, template: int = 0) -> dict[str, Surface]:
    """The surfaces of ``labels`` (T, Z, Y, X) on ``grid`` by their names in SURFACES.

    template: the frame whose mesh is deformed to the others. A structure that a frame does not show, or
    hardly does, has no surface.
    """
    missing = without_surface(labels, grid)
    return {
        name: _surface(np.isin(labels, members), grid, template)
        for name, members in SURFACES.items()
        if name not in missing
    }


def without_surface(labels: np.ndarray, grid: Grid) -> list[str]:
    """Names of the surfaces of structures that a frame of ``labels`` (T, Z, Y, X) on ``grid`` does not show,
    or that nowhere hold a cube of SMALLEST_MM there.
    """
    cube = np.ceil(SMALLEST_MM / np.array(grid.spacing[::-1])).astype(int)
    return [
        name
        for name, members in SURFACES.items()
        if not all(_holds(np.isin(frame, members), cube) for frame in labels)
    ]


def _holds(mask: np.ndarray, cube: np.ndarray) -> bool:
    """Whether the largest piece of ``mask`` (Z, Y, X) holds a block of ``cube`` (3,) voxels."""
    found = np.argwhere(mask)
    if not len(found):
        return False
    part = largest_piece(mask[tuple(map(slice, found.min(0), found.max(0) + 1))])
    return bool(ndimage.minimum_filter(part.astype(np.uint8), cube, mode="constant").any())


def enclosed(points: np.ndarray, triangles: np.ndarray) -> float:
    """Volume in mm3 within a mesh of ``points`` (N, 3) mm, negative where its triangles face inward."""
    a, b, c = (points[triangles[:, corner]] - points[0] for corner in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def _surface(masks: np.ndarray, grid: Grid, template: int) -> Surface:
    """The surface of ``masks`` (T, Z, Y, X)."""
    spacing = np.array(grid.spacing[::-1])
    margin = np.ceil(MARGIN_MM / spacing).astype(int)
    found = np.argwhere(masks.any(0))
    low, high = found.min(0), found.max(0) + 1
    box = tuple(slice(max(a - pad, 0), b + pad) for a, b, pad in zip(low, high, margin, strict=True))
    # The heart may reach the border of the grid, which is outside all the same.
    before = [max(pad - a, 0) for a, pad in zip(low, margin, strict=True)]
    after = [max(b + pad - size, 0) for b, pad, size in zip(high, margin, masks.shape[1:], strict=True)]
    start = np.array([part.start for part in box]) - before
    frames = [
        _Distance.of(np.pad(mask[box], list(zip(before, after, strict=True))), spacing) for mask in masks
    ]
    first = frames[template]
    points, triangles = template_mesh(first.values, spacing)
    average = _averaging(len(points), triangles)
    points = _settled(points, triangles, first, average)
    moved = [
        points
        if frame is first
        else _settled(_deformed(points, first, frame, average), triangles, frame, average)
        for frame in frames
    ]
    indices = np.stack(moved) / spacing + start
    world = grid.position(indices)
    if enclosed(world[template], triangles) < 0:
        triangles = triangles[:, ::-1]
    return Surface(world.astype(np.float32), np.ascontiguousarray(triangles))


@dataclass(frozen=True)
class _Distance:
    """Smoothed signed distances of a structure in one frame.

    values: (Z, Y, X) mm, positive inside, the zero of which encloses the structure's volume. gradient: (3, Z,
    Y, X) along z, y, x. spacing: (3,) mm, z, y, x. mean, covariance: (3,) mm and (3, 3) mm2 of the structure.
    volume: mm3.
    """

    values: np.ndarray
    gradient: np.ndarray
    spacing: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    volume: float

    @classmethod
    def of(cls, mask: np.ndarray, spacing: np.ndarray) -> _Distance:
        mask = ndimage.binary_fill_holes(largest_piece(mask))
        half = spacing.min() / 2
        inside = ndimage.distance_transform_edt(mask, spacing)
        outside = ndimage.distance_transform_edt(~mask, spacing)
        signed = np.where(mask, inside - half, half - outside).astype(np.float32)
        smooth = ndimage.gaussian_filter(signed, SMOOTH_MM / spacing)
        voxel = float(np.prod(spacing))
        volume = np.count_nonzero(mask) * voxel
        smooth -= _level(smooth, volume / voxel, 2 * half)
        at = np.argwhere(mask) * spacing
        # Voxels are boxes, not points: of a single layer of them, too, all variances are above 0.
        covariance = np.cov(at.T, bias=True) + np.diag(spacing**2 / 12)
        gradient = np.stack(np.gradient(smooth, *spacing))
        return cls(smooth, gradient, spacing, at.mean(0), covariance, volume)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distances (N,) mm and unit vectors (N, 3) outward at ``points`` (N, 3) mm."""
        indices = (points / self.spacing).T
        values, *gradient = (
            ndimage.map_coordinates(field, indices, order=1, mode="nearest")
            for field in (self.values, *self.gradient)
        )
        outward = -np.stack(gradient, 1)
        return values, outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)


def _level(values: np.ndarray, count: float, width: float) -> float:
    """mm, the value above which ``count`` voxels lie, those of the border, ``width`` mm wide, in part."""
    low, high = -3.0, 3.0
    for _ in range(20):
        middle = (low + high) / 2
        if np.clip((values - middle) / width + 0.5, 0, 1).sum() > count:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _averaging(count: int, triangles: np.ndarray) -> sparse.csr_array:
    """(N, N), takes values of vertices to their means over a vertex and its neighbours."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
    links = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    links.data[:] = 1  # every edge is met twice
    links = sparse.csr_array(links + sparse.eye_array(count))
    return sparse.csr_array(sparse.diags_array(1 / links.sum(1)) @ links)


def _deformed(
    points: np.ndarray, source: _Distance, target: _Distance, average: sparse.csr_array
) -> np.ndarray:
    """The ``source``'s ``points`` (N, 3) mm on the ``target``'s surface."""
    points = (points - source.mean) @ _transport(source.covariance, target.covariance) + target.mean
    for passes in PASSES:
        for _ in range(STEPS):
            values, outward = target.at(points)
            step = values[:, None] * outward
            for _ in range(passes):
                step = average @ step
            points = _relaxed(points + step, outward, average)
    return points


def _transport(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(3, 3), the symmetric map that takes a covariance to another without turning."""
    root, inverse = _root(source), np.linalg.inv(_root(source))
    moved: np.ndarray = inverse @ _root(root @ target @ root) @ inverse
    return moved


def _root(matrix: np.ndarray) -> np.ndarray:
    """The square root of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    out: np.ndarray = (vectors * np.sqrt(values)) @ vectors.T
    return out


def _relaxed(points: np.ndarray, outward: np.ndarray, average: sparse.csr_array) -> np.ndarray:
    """Vertices moved toward the middle of their neighbours within the surface, to keep triangles even."""
    pull = average @ points - points
    pull -= np.einsum("ij,ij->i", pull, outward)[:, None] * outward
    moved: np.ndarray = points + RELAX * pull
    return moved


def _settled(
    points: np.ndarray, triangles: np.ndarray, distance: _Distance, average: sparse.csr_array
) -> np.ndarray:
    """Vertices on the surface itself, moved along it and then out or in by a little, all by the same, so that
    they enclose the structure's volume.
    """
    for _ in range(LAST_STEPS):
        values, outward = distance.at(points)
        points = _relaxed(points + values[:, None] * outward, outward, average)
    values, outward = distance.at(points)
    points = points + values[:, None] * outward
    for _ in range(2):
        lacking = distance.volume - abs(enclosed(points, triangles))
        points = points + lacking / _area(points, triangles) * distance.at(points)[1]
    return points


def _area(points: np.ndarray, triangles: np.ndarray) -> float:
    """mm2."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
