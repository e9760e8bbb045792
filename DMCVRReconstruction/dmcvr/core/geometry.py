"""Planes, grids and resampling in patient space.

World coordinates are LPS in mm throughout, as in DICOM and ITK. A sample's position is its centre. Step
vectors, not spacings and angles, describe every lattice: the vector from one sample to the next along an
array axis, in mm. That holds oblique and sheared lattices without special cases.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike


def unit(vector: ArrayLike) -> np.ndarray:
    """``vector`` scaled to length one."""
    array = np.asarray(vector, float)
    scaled: np.ndarray = array / np.linalg.norm(array)
    return scaled


@dataclass(frozen=True)
class Plane:
    """A 2D image's place in space.

    origin: (3,) LPS mm, centre of pixel [0, 0].
    step_x, step_y: (3,) mm, from one column (row) to the next.
    shape: (H, W).
    """

    origin: np.ndarray
    step_x: np.ndarray
    step_y: np.ndarray
    shape: tuple[int, int]

    @property
    def normal(self) -> np.ndarray:
        """(3,) unit vector, step_x cross step_y."""
        return unit(np.cross(self.step_x, self.step_y))

    @property
    def spacing(self) -> tuple[float, float]:
        """(x, y) in mm."""
        return float(np.linalg.norm(self.step_x)), float(np.linalg.norm(self.step_y))

    @property
    def centre(self) -> np.ndarray:
        """(3,) LPS mm, the middle of the image."""
        height, width = self.shape
        return self.origin + self.step_x * (width - 1) / 2 + self.step_y * (height - 1) / 2

    def points(self) -> np.ndarray:
        """(H, W, 3) LPS mm, the centre of every pixel."""
        height, width = self.shape
        rows, columns = np.arange(height)[:, None, None], np.arange(width)[None, :, None]
        centres: np.ndarray = self.origin + columns * self.step_x + rows * self.step_y
        return centres

    def indices(self, points: np.ndarray) -> np.ndarray:
        """Continuous (..., 2) pixel indices, ordered [row, column], of the feet on the plane of (..., 3) LPS
        points.
        """
        steps = np.column_stack([self.step_y, self.step_x])
        feet: np.ndarray = (points - self.origin) @ np.linalg.pinv(steps).T
        return feet


@dataclass(frozen=True)
class Grid:
    """A regular 3D lattice; its arrays are indexed [z, y, x].

    origin: (3,) LPS mm, centre of voxel [0, 0, 0].
    step_x, step_y, step_z: (3,) mm, to the next voxel along x, y, z.
    shape: (Z, Y, X).
    """

    origin: np.ndarray
    step_x: np.ndarray
    step_y: np.ndarray
    step_z: np.ndarray
    shape: tuple[int, int, int]

    @classmethod
    def of_steps(cls, origin: np.ndarray, steps: Iterable[np.ndarray], shape: Iterable[int]) -> Grid:
        """The grid of ``steps`` along x, y and z and of ``shape`` (Z, Y, X)."""
        step_x, step_y, step_z = steps
        depth, height, width = (int(count) for count in shape)
        return cls(origin, step_x, step_y, step_z, (depth, height, width))

    @cached_property
    def affine(self) -> np.ndarray:
        """(4, 4), takes (x, y, z, 1) voxel indices to LPS mm."""
        matrix = np.eye(4)
        matrix[:3] = np.column_stack([self.step_x, self.step_y, self.step_z, self.origin])
        return matrix

    @property
    def spacing(self) -> tuple[float, float, float]:
        """(x, y, z) in mm."""
        x, y, z = (float(np.linalg.norm(step)) for step in (self.step_x, self.step_y, self.step_z))
        return x, y, z

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in ml."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000

    def plane(self, z: int) -> Plane:
        """The plane of slice ``z``."""
        return Plane(self.origin + z * self.step_z, self.step_x, self.step_y, self.shape[1:])

    def indices(self, points: np.ndarray) -> np.ndarray:
        """Continuous (..., 3) voxel indices, ordered [z, y, x], of (..., 3) LPS points."""
        inverse = np.linalg.inv(self.affine)
        xyz: np.ndarray = np.asarray(points, float) @ inverse[:3, :3].T + inverse[:3, 3]
        return xyz[..., ::-1]

    def position(self, indices: ArrayLike) -> np.ndarray:
        """(..., 3) LPS mm of (..., 3) voxel indices ordered [z, y, x]."""
        xyz = np.asarray(indices, float)[..., ::-1]
        positions: np.ndarray = xyz @ self.affine[:3, :3].T + self.affine[:3, 3]
        return positions

    def sample(self, array: np.ndarray, points: np.ndarray, order: int = 1, fill: float = 0.0) -> np.ndarray:
        """Value of ``array`` (Z, Y, X) at LPS ``points`` (..., 3); ``fill`` beyond the outermost centres.

        order: spline order as in scipy; 0 for labels.
        """
        from scipy import ndimage  # takes a while to import, which 3D Slicer should not wait for at its start

        indices = np.moveaxis(self.indices(points), -1, 0)
        # Rounding in the inverse must not push a point on the border outside.
        last = np.array(self.shape, float).reshape(3, *[1] * (indices.ndim - 1)) - 1
        indices = np.where((indices > -1e-6) & (indices < 0), 0.0, indices)
        indices = np.where((indices > last) & (indices < last + 1e-6), last, indices)
        values: np.ndarray = ndimage.map_coordinates(array, indices, order=order, mode="constant", cval=fill)
        return values


def padded(array: np.ndarray, grid: Grid) -> tuple[np.ndarray, Grid]:
    """``array`` (Z, Y, X) on ``grid`` with a margin of one voxel of zeros, and the grid of both.

    Sampling ends at the outermost centres: the margin lets it reach the voxels' far sides.
    """
    bigger = np.pad(array, 1)
    return bigger, replace(grid, origin=grid.position([-1, -1, -1]), shape=bigger.shape)


def sample_plane(
    images: np.ndarray, source: Plane, target: Plane, order: int = 1, fill: float = 0.0
) -> np.ndarray:
    """``images`` (..., H, W) of the plane ``source``, seen on a parallel ``target`` along their normal.

    Before reducing resolution the image is smoothed so that detail finer than the target's pixels does not
    alias.
    """
    from scipy import ndimage

    ratio = np.array(target.spacing[::-1]) / np.array(source.spacing[::-1])
    blur = 0.4 * np.where(ratio > 1.2, ratio, 0) if order > 0 else np.zeros(2)
    basis = np.column_stack([source.step_y, source.step_x])
    to_source = np.linalg.pinv(basis)
    matrix = to_source @ np.column_stack([target.step_y, target.step_x])
    offset = to_source @ (target.origin - source.origin)
    # A hair's breadth must not push the pixels on the border outside, where they would become ``fill``.
    matrix, whole = matrix.round(9), np.rint(offset)
    offset = np.where(np.abs(offset - whole) < 1e-4, whole, offset)
    if order > 0 and matrix[0, 1] == matrix[1, 0] == 0 and np.issubdtype(images.dtype, np.floating):
        rows, columns = (
            _line_sampling(
                images.shape[axis - 2],
                target.shape[axis],
                matrix[axis, axis],
                offset[axis],
                order,
                blur[axis],
            ).astype(images.dtype)
            for axis in (0, 1)
        )
        return _sample_separably(images, rows, columns, fill)
    seen = np.empty((*images.shape[:-2], *target.shape), images.dtype)
    for place in np.ndindex(images.shape[:-2]):
        image = ndimage.gaussian_filter(images[place], blur) if blur.any() else images[place]
        seen[place] = ndimage.affine_transform(
            image, matrix, offset, output_shape=target.shape, order=order, mode="constant", cval=fill
        )
    return seen


def _sample_separably(images: np.ndarray, rows: np.ndarray, columns: np.ndarray, fill: float) -> np.ndarray:
    """``images`` (..., H, W) by the samplings (h, H) and (w, W) of their lines: many times faster than
    sampling one place after the other.
    """
    seen: np.ndarray = rows @ images @ columns.T
    if fill:
        outside = [~lines.any(1) for lines in (rows, columns)]
        seen[..., outside[0], :] = fill
        seen[..., outside[1]] = fill
    return seen


@lru_cache(maxsize=16)
def _line_sampling(count: int, wanted: int, step: float, first: float, order: int, blur: float) -> np.ndarray:
    """(wanted, count), which takes the ``count`` values on a line to those at ``first``, ``first + step``
    and so on by splines of ``order`` after a Gaussian blur; 0 for places beyond the outermost values.
    """
    from scipy import ndimage

    values = np.eye(count)
    if blur:
        values = ndimage.gaussian_filter1d(values, blur, axis=0)
    sampling: np.ndarray = ndimage.affine_transform(
        values, (step, 1.0), (first, 0.0), output_shape=(wanted, count), order=order, mode="constant"
    )
    return sampling
