"""Smooth deformations of space, driven by control points and their momenta.

With K(x, y) = exp(-|x - y|^2 / width^2), the control points q and momenta p move by explicit Euler steps of

    dq_i/dt = sum_j K(q_i, q_j) p_j
    dp_i/dt = 2 / width^2 sum_j K(q_i, q_j) (p_i . p_j) (q_i - q_j)

from t = 0 to 1, and every other point x of space by dx/dt = sum_j K(x, q_j) p_j (Durrleman et al., NeuroImage
2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.interpolate import make_interp_spline

from ...core.geometry import Grid

CHUNK = 2000  # points carried at once, to bound the memory for their kernel
FIXED_POINT_ITERATIONS = 3  # each gains about a digit, for a step moves a point by much less than the width


@dataclass(frozen=True)
class Flow:
    """A deformation: where the control points are, and how they push, at the beginning of every step.

    points, momenta: (K, N, 3), K Euler steps from t = 0 to 1, mm. width: of the kernel, mm.
    """

    points: np.ndarray
    momenta: np.ndarray
    width: float

    def carry(self, points: np.ndarray) -> np.ndarray:
        """(M, 3) mm, where the deformation takes ``points`` (M, 3)."""
        chunks = np.array_split(np.asarray(points, float), max(1, len(points) // CHUNK))
        for push, momenta in zip(self.points, self.momenta, strict=True):
            chunks = [
                chunk + kernel(chunk, push, self.width) @ momenta / len(self.points) for chunk in chunks
            ]
        return np.concatenate(chunks)

    def origins(self, grid: Grid) -> np.ndarray:
        """(Z, Y, X, 3) float32 mm: the point that the deformation takes to each voxel centre of ``grid``,
        whose axes are those of space.

        The steps are undone one by one, each by fixed-point iteration, on a lattice of half the kernel's
        width, and upsampled by cubic splines; carrying the result back meets the voxel centres to about
        0.01 mm.
        """
        spacing = self.width / 2
        ends = [np.array([0, n - 1]) * step for n, step in zip(grid.shape, grid.spacing[::-1], strict=True)]
        axes = [
            start + np.arange(-2, np.ceil((end - begin) / spacing) + 3) * spacing
            for start, (begin, end) in zip(grid.origin[::-1], ends, strict=True)
        ]
        first = np.array([axis[0] for axis in axes])
        lattice = np.stack(np.meshgrid(*axes, indexing="ij"))  # (3, z, y, x), z y x coordinates
        places = lattice
        for push, momenta in zip(self.points[::-1], self.momenta[::-1], strict=True):
            velocity = [ndimage.spline_filter(part) for part in self._velocity(axes, push, momenta)[::-1]]
            before = places
            for _ in range(FIXED_POINT_ITERATIONS):
                at = (before - first[:, None, None, None]) / spacing
                moves = [
                    ndimage.map_coordinates(part, at, prefilter=False, mode="nearest") for part in velocity
                ]
                before = places - np.stack(moves) / len(self.points)
            places = before
        moved = (places - lattice).astype(np.float32)
        for axis, (coarse, count, step) in enumerate(
            zip(axes, grid.shape, grid.spacing[::-1], strict=True), start=1
        ):
            fine = coarse[2] + np.arange(count) * step
            spline = make_interp_spline(coarse, np.eye(len(coarse)))(fine).astype(np.float32)
            moved = np.moveaxis(np.tensordot(spline, moved, (1, axis)), 0, axis)
        out = np.moveaxis(moved[::-1], 0, -1)
        return out + grid.position(np.moveaxis(np.indices(grid.shape), 0, -1)).astype(np.float32)

    def _velocity(self, axes: list[np.ndarray], push: np.ndarray, momenta: np.ndarray) -> list[np.ndarray]:
        """x, y and z components (z, y, x) of the velocity on the lattice with the z, y and x ``axes``.

        The kernel is a product of one factor an axis, so the sum over control points is a matrix product.
        """
        z, y, x = (
            np.exp(-(((axis[:, None] - push[:, 2 - i]) / self.width) ** 2)) for i, axis in enumerate(axes)
        )
        shape = len(z), len(y), len(x)
        return [
            ((z[:, None] * (y * strength)).reshape(-1, len(push)) @ x.T).reshape(shape)
            for strength in momenta.T
        ]


def kernel(points: np.ndarray, centres: np.ndarray, width: float) -> np.ndarray:
    """(M, N) K of points (M, 3) and centres (N, 3)."""
    square = (points**2).sum(1)[:, None] + (centres**2).sum(1) - 2 * points @ centres.T
    return np.exp(-np.maximum(square, 0) / width**2)


def shoot(control_points: np.ndarray, momenta: np.ndarray, width: float, steps: int) -> Flow:
    """The flow that ``momenta`` (N, 3) at ``control_points`` (N, 3) start, in ``steps`` Euler steps."""
    q, p = np.asarray(control_points, float), np.asarray(momenta, float)
    points, pushes = [], []
    for _ in range(steps):
        points.append(q)
        pushes.append(p)
        k = kernel(q, q, width)
        pull = k * (p @ p.T)
        q, p = (
            q + k @ p / steps,
            p + 2 / width**2 * (q * pull.sum(1)[:, None] - pull @ q) / steps,
        )
    return Flow(np.stack(points), np.stack(pushes), width)
