import time

import numpy as np
import pytest
from dmcvr.anatomy.long_axis import LongAxis
from dmcvr.anatomy.walls import mid_wall, mid_wall_in_steps, surface_points
from dmcvr.core.geometry import Grid, unit
from dmcvr.core.labels import LVC, LVM
from scipy import spatial

AXIS = LongAxis(np.zeros(3), unit(np.array([0.15, 0.1, 1.0])), unit(np.array([1.0, 0.0, -0.15])))
"""The apex lies at larger z, and neither the axis nor the wall's rim is level with the slices."""


def shell(away_from_cavity, thickness, spacing):
    """Labels and grid of a cavity with a wall all round it that is cut off at the base.

    away_from_cavity: (..., 3) mm -> mm outside of the cavity, negative inside.
    """
    steps = np.diag(spacing)
    counts = np.ceil(np.array([96.0, 96.0, 110.0]) / spacing).astype(int)
    grid = Grid.of_steps(-np.array([48.0, 48.0, 44.0]) + 0.3, steps, counts[::-1])
    points = grid.position(np.moveaxis(np.indices(grid.shape), 0, -1))
    away = away_from_cavity(points)
    labels = np.where(away < 0, LVC, np.where(away < thickness, LVM, 0)).astype(np.uint8)
    labels[points @ AXIS.apex < -15] = 0
    return labels, grid


def ball(points):
    return np.linalg.norm(points, axis=-1) - 24


def egg(points):
    """Of a prolate ellipsoid, 20 mm wide and 45 long: the distance to the nearest of many points of it."""
    u, v = np.meshgrid(np.linspace(0, np.pi, 240), np.linspace(0, 2 * np.pi, 360))
    surface = np.stack([20 * np.sin(u) * np.cos(v), 20 * np.sin(u) * np.sin(v), 45 * np.cos(u)], -1)
    inside = (points[..., 0] ** 2 + points[..., 1] ** 2) / 400 + points[..., 2] ** 2 / 2025 < 1
    away = spatial.cKDTree(surface.reshape(-1, 3)).query(points.reshape(-1, 3), distance_upper_bound=20)[0]
    return np.where(inside, -1.0, away.reshape(inside.shape))


@pytest.mark.parametrize("thickness", [4.0, 9.0, 16.0])
@pytest.mark.parametrize(
    ("spacing", "in_part", "in_a_point"), [((1.4, 1.4, 1.4), 0.2, 1.2), ((1.2, 1.2, 2.5), 0.5, 1.6)]
)
def test_it_is_exact_on_a_ball_in_a_ball(thickness, spacing, in_part, in_a_point):
    wall = mid_wall(*shell(ball, thickness, spacing), AXIS)
    assert wall.thickness.mean() == pytest.approx(thickness, abs=0.15)
    assert np.abs(wall.thickness - thickness).max() < in_a_point
    near_apex = wall.coordinates.heights < -20
    assert wall.thickness[near_apex].mean() == pytest.approx(thickness, abs=in_part)


@pytest.mark.slow
@pytest.mark.parametrize("thickness", [6.0, 12.0])
def test_it_is_exact_on_an_egg_with_a_wall_as_thick_everywhere(thickness):
    wall = mid_wall(*shell(egg, thickness, (1.4, 1.4, 1.4)), AXIS)
    for low in range(-42, 10, 13):
        here = (wall.coordinates.heights > low) & (wall.coordinates.heights <= low + 13)
        assert wall.thickness[here].mean() == pytest.approx(thickness, abs=0.3)


def test_the_rim_at_the_base_does_not_count_as_epicardium():
    wall = mid_wall(*shell(ball, 16.0, (1.4, 1.4, 1.4)), AXIS)
    top = wall.coordinates.heights > wall.coordinates.heights.max() - 4
    assert wall.thickness[top].mean() == pytest.approx(16, abs=0.3)


@pytest.mark.parametrize("thickness", [4.0, 9.0, 16.0])
def test_both_surfaces_of_a_ball_tell_its_wall(thickness):
    wall = mid_wall(*shell(ball, thickness, (1.4, 1.4, 1.4)), AXIS)
    directions = np.random.default_rng(0).normal(size=(4000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for radius in (24.0, 24.0 + thickness):
        points = radius * directions
        found = wall.thickness_at(points, AXIS)
        # The base is cut 15 mm above the middle, and its rim is not level.
        depth = points @ AXIS.apex
        assert (found[depth < -15] == 0).all()
        assert np.abs(found[depth > -9] - thickness).max() < 0.8
        assert found[depth > -9].mean() == pytest.approx(thickness, abs=0.15)


def test_no_step_of_the_measurement_takes_long():
    labels, grid = shell(ball, 9.0, (1.4, 1.4, 1.4))
    steps, seconds, found = mid_wall_in_steps(labels, grid, AXIS), [], None
    while found is None:
        started = time.thread_time()
        try:
            next(steps)
        except StopIteration as end:
            found = end.value
        seconds.append(time.thread_time() - started)
    np.testing.assert_array_equal(found.thickness, mid_wall(labels, grid, AXIS).thickness)
    assert len(seconds) > 4
    assert max(seconds) < 0.1


def test_without_a_cavity_or_a_wall_nothing_is_measured():
    labels, grid = shell(ball, 9.0, (2.0, 2.0, 2.0))
    assert mid_wall(np.where(labels == LVC, 0, labels), grid, AXIS) is None
    assert mid_wall(np.where(labels == LVM, 0, labels), grid, AXIS) is None


@pytest.mark.parametrize("width", [1, 2])
def test_a_cavity_of_a_voxel_or_two_has_a_wall_that_cannot_be_measured(width):
    """As at the end of systole, where muscle may leave hardly any blood."""
    labels, grid = shell(ball, 9.0, (1.4, 1.4, 1.4))
    row = np.zeros(labels.shape, bool)
    row[30:50, 34 : 34 + width, 34] = True
    labels[labels == LVC] = LVM
    labels[row & (labels == LVM)] = LVC
    assert (labels == LVC).any()
    assert mid_wall(labels, grid, AXIS) is None


def test_surface_points_lie_on_the_surface():
    labels, grid = shell(ball, 9.0, (1.4, 1.4, 2.0))
    points = surface_points(labels == LVC, grid)
    below = points[points @ AXIS.apex > -10]
    off = np.linalg.norm(below, axis=1) - 24
    assert abs(off.mean()) < 0.1
    assert np.abs(off).max() < 1.0
