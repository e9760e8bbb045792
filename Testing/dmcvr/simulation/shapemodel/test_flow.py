"""The deformation against the differential equation written out point by point."""

import math

import numpy as np
import pytest
from dmcvr.core.geometry import Grid
from dmcvr.simulation.shapemodel.flow import shoot

WIDTH, STEPS = 12.0, 5
CONTROL = np.array([[0.0, 0, 0], [9, 1, -3], [-4, 8, 6], [2, -7, 10]])
MOMENTA = np.array([[3.0, -1, 2], [-2, 2, 1], [1, 0, -4], [0.5, 3, 1]])
GRID = Grid(np.array([-15.0, -12, -10]), *(np.eye(3) * 1.5), (22, 17, 20))


def k(a, b):
    return math.exp(-sum((u - v) ** 2 for u, v in zip(a, b, strict=True)) / WIDTH**2)


def oracle(point, control, momenta):
    """Where ``point`` goes, by plain loops over control points."""
    x, q, p = list(point), [list(c) for c in control], [list(m) for m in momenta]
    n, dt = len(q), 1 / STEPS
    for _ in range(STEPS):
        dx = [sum(k(x, q[j]) * p[j][c] for j in range(n)) for c in range(3)]
        dq = [[sum(k(q[i], q[j]) * p[j][c] for j in range(n)) for c in range(3)] for i in range(n)]
        dot = [[sum(a * b for a, b in zip(p[i], p[j], strict=True)) for j in range(n)] for i in range(n)]
        dp = [
            [
                sum(2 / WIDTH**2 * k(q[i], q[j]) * dot[i][j] * (q[i][c] - q[j][c]) for j in range(n))
                for c in range(3)
            ]
            for i in range(n)
        ]
        x = [x[c] + dt * dx[c] for c in range(3)]
        q = [[q[i][c] + dt * dq[i][c] for c in range(3)] for i in range(n)]
        p = [[p[i][c] + dt * dp[i][c] for c in range(3)] for i in range(n)]
    return x


def positions(grid):
    return grid.position(np.moveaxis(np.indices(grid.shape), 0, -1))


def test_no_momenta_no_deformation():
    flow = shoot(CONTROL, MOMENTA * 0, WIDTH, STEPS)
    points = np.random.default_rng(1).normal(0, 20, (50, 3))
    assert np.array_equal(flow.carry(points), points)
    assert flow.origins(GRID) == pytest.approx(positions(GRID), abs=1e-4)


def test_points_move_as_the_equation_says():
    points = np.random.default_rng(2).normal(0, 8, (12, 3))
    moved = shoot(CONTROL, MOMENTA, WIDTH, STEPS).carry(points)
    assert np.linalg.norm(moved - points, axis=1).max() > 2
    assert moved == pytest.approx(np.array([oracle(x, CONTROL, MOMENTA) for x in points]))


def test_many_points_move_as_each_alone():
    points = np.random.default_rng(3).normal(0, 8, (5000, 3))
    flow = shoot(CONTROL, MOMENTA, WIDTH, STEPS)
    assert flow.carry(points)[4990:] == pytest.approx(flow.carry(points[4990:]))


def test_origins_are_carried_to_the_voxels():
    flow = shoot(CONTROL, MOMENTA / 2, WIDTH, STEPS)
    back = flow.origins(GRID)
    away = np.linalg.norm(back - positions(GRID), axis=-1)
    missed = np.linalg.norm(flow.carry(back.reshape(-1, 3)) - positions(GRID).reshape(-1, 3), axis=1)
    assert away.max() > 1.5
    assert missed.mean() < 0.006
    assert missed.max() < 0.04
