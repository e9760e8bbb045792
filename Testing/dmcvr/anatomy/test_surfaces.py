"""Surfaces of made-up hearts, opened with trimesh: closed, outward, of the labels' volume, never folded."""

import numpy as np
import pytest
import trimesh
from dmcvr.anatomy.surfaces import SURFACES, surfaces, without_surface
from dmcvr.core.geometry import Grid
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.simulation.phantom.config import PhantomConfig
from dmcvr.simulation.phantom.examination import plane_labels
from dmcvr.simulation.phantom.heart import Heart

SPACING = 1.5


@pytest.fixture(scope="module")
def beat():
    """Exact labels (T, Z, Y, X) of a phantom at end-diastole, mid-systole and end-systole, and their grid,
    which is oblique.
    """
    config = PhantomConfig()
    hearts = [Heart.at(config, config.phases[number]) for number in (0, 2, 4)]
    centre, radius = hearts[0].ball
    axes = np.asarray(hearts[0].axes)
    count = int(np.ceil(2 * radius / SPACING)) + 1
    grid = Grid.of_steps(axes.T @ (axes @ centre - radius), axes * SPACING, [count] * 3)
    labels = [[plane_labels(heart, grid.plane(z)) for z in range(count)] for heart in hearts]
    return np.array(labels), grid


@pytest.fixture(scope="module")
def made(beat):
    return surfaces(*beat)


def volume_ml(labels, grid, name):
    return np.isin(labels, SURFACES[name]).sum((-3, -2, -1)) * grid.voxel_ml


@pytest.mark.parametrize("name", SURFACES)
def test_it_is_one_closed_piece_oriented_outward_of_the_labels_volume(beat, made, name):
    labels, grid = beat
    surface = made[name]
    np.testing.assert_allclose(surface.volumes, volume_ml(labels, grid, name), rtol=0.001)
    for points, expected in zip(surface.points, volume_ml(labels, grid, name), strict=True):
        mesh = trimesh.Trimesh(points, surface.triangles, process=False)
        assert mesh.is_watertight
        assert mesh.is_winding_consistent
        assert mesh.body_count == 1
        assert mesh.euler_number == 2
        assert mesh.volume / 1000 == pytest.approx(expected, rel=0.001)
        assert len(np.unique(surface.triangles)) == len(points)


@pytest.mark.parametrize(
    ("name", "sharpest"), [("lv_endocardium", 0.7), ("lv_epicardium", 0.7), ("rv_endocardium", 0.3)]
)
def test_it_is_smooth_and_does_not_fold_over_the_beat(made, name, sharpest):
    """sharpest: cosine of the angle between the normals of neighbouring triangles; .78, .77 and .38."""
    surface = made[name]
    areas = []
    for points in surface.points:
        mesh = trimesh.Trimesh(points, surface.triangles, process=False)
        assert np.cos(mesh.face_adjacency_angles).min() > sharpest
        areas.append(mesh.area_faces)
    # A region shrinks as the heart does, and none of it is pulled apart or pressed together.
    for area in areas[1:]:
        share = area / areas[0]
        assert np.quantile(share, 0.01) > 0.35
        assert np.quantile(share, 0.99) < 1.4


@pytest.mark.parametrize("name", SURFACES)
def test_it_lies_where_the_labels_end(beat, made, name):
    labels, grid = beat
    for item, points in zip(np.isin(labels, SURFACES[name]), made[name].points, strict=True):
        outward = trimesh.Trimesh(points, made[name].triangles, process=False).vertex_normals
        inner, outer = (grid.sample(item.astype(np.float32), points + way * 2 * outward) for way in (-1, 1))
        assert inner.mean() > 0.85
        assert outer.mean() < 0.15


def test_a_vertex_follows_the_wall(beat, made):
    """The long axis shortens: what lies at the apex and at the base at ED does so at ES."""
    _, grid = beat
    points = made["lv_endocardium"].points
    along = (points - grid.origin) @ (grid.step_z / np.linalg.norm(grid.step_z))
    first, last = along[0], along[-1]
    share = [(item - item.min()) / np.ptp(item) for item in (first, last)]
    assert np.abs(share[0] - share[1]).max() < 0.15
    assert np.ptp(last) < np.ptp(first)


def test_a_mirrored_grid_gives_surfaces_that_face_outward(beat):
    labels, grid = beat
    mirrored = Grid(grid.origin, -grid.step_x, grid.step_y, grid.step_z, grid.shape)
    for surface in surfaces(labels[:1], mirrored).values():
        assert (surface.volumes > 0).all()


def test_what_a_frame_does_not_show_has_no_surface_and_specks_are_left_out():
    labels = np.zeros((2, 24, 30, 30), np.uint8)
    z, y, x = np.indices(labels.shape[1:]) - np.array([12, 15, 15])[:, None, None, None]
    labels[:, np.hypot(np.hypot(x, y), z) < 9] = LVM
    labels[:, np.hypot(np.hypot(x, y), z) < 6] = LVC
    labels[0, 2:6, 2:6, 2:6] = RVC
    labels[0, 20:22, 25:27, 25:27] = LVM
    grid = Grid.of_steps(np.zeros(3), np.eye(3) * 2.0, labels.shape[1:])
    found = surfaces(labels, grid)
    assert found.keys() == {"lv_endocardium", "lv_epicardium"}
    ball = 4 / 3 * np.pi * 18**3 / 1000
    np.testing.assert_allclose(found["lv_epicardium"].volumes, ball, rtol=0.03)


def two_balls(small):
    """Labels (2, Z, Y, X) and grid, voxels of 2 mm: a ball of RVC, and a frame later the mask
    ``small`` of it.
    """
    z, y, x = np.indices((24, 30, 30)) - np.array([12, 15, 15])[:, None, None, None]
    labels = np.zeros((2, 24, 30, 30), np.uint8)
    labels[0, np.hypot(np.hypot(x, y), z) < 8] = RVC
    labels[1, small(z, y, x)] = RVC
    return labels, Grid.of_steps(np.zeros(3), np.eye(3) * 2.0, labels.shape[1:])


@pytest.mark.parametrize(
    "small",
    [
        lambda z, y, x: (z == 0) & (y == 0) & (x == 0),
        lambda z, y, x: (z == 0) & (np.hypot(x, y) < 7),
        lambda z, y, x: (np.abs(z) < 6) & (y == 0) & (x == 0),
    ],
    ids=["voxel", "layer", "row"],
)
def test_what_a_frame_hardly_shows_has_no_surface(small):
    labels, grid = two_balls(small)
    assert "rv_endocardium" in without_surface(labels, grid)
    for template in (0, 1):
        assert surfaces(labels, grid, template) == {}


def test_the_smallest_structure_that_has_a_surface_has_its_volume():
    labels, grid = two_balls(lambda z, y, x: (np.abs(z) < 2) & (np.abs(y) < 2) & (np.abs(x) < 2))
    for template in (0, 1):
        found = surfaces(labels, grid, template)["rv_endocardium"]
        np.testing.assert_allclose(found.volumes, volume_ml(labels, grid, "rv_endocardium"), rtol=0.01)
