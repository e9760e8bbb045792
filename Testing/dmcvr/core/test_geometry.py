"""Planes, grids and resampling."""

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.geometry import Grid, Plane, padded, sample_plane, unit
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation


def axes(seed: int) -> np.ndarray:
    """(3, 3), rows are orthogonal unit vectors in a random direction."""
    return Rotation.random(random_state=seed).as_matrix()


def oblique_plane(seed: int = 0, shape: tuple[int, int] = (20, 30), spacing: float = 1.4) -> Plane:
    x, y, _ = axes(seed) * spacing
    return Plane(np.array([10.0, -20.0, 35.0]), x, y, shape)


def oblique_grid(seed: int = 0) -> Grid:
    x, y, z = axes(seed) * np.array([1.5, 1.25, 8.0])[:, None]
    return Grid(np.array([-30.0, 12.0, 5.0]), x, y, z, (5, 16, 18))


def test_unit_has_length_one_and_the_same_direction():
    assert unit(np.array([0, 3, 4])) == pytest.approx([0, 0.6, 0.8])


def test_a_planes_points_spacing_normal_and_centre():
    plane = Plane(np.array([1.0, 2.0, 3.0]), np.array([0, 2.0, 0]), np.array([0, 0, 0.5]), (3, 5))
    points = plane.points()
    assert points.shape == (3, 5, 3)
    assert points[0, 0] == pytest.approx([1, 2, 3])
    assert points[2, 4] == pytest.approx([1, 10, 4])
    assert plane.spacing == (2.0, 0.5)
    assert plane.normal == pytest.approx([1, 0, 0])
    assert plane.centre == pytest.approx(points.reshape(-1, 3).mean(0))


def test_a_plane_finds_the_foot_of_a_point_in_pixels():
    plane = oblique_plane()
    wanted = np.array([[20.0, 30.5], [7.0, 1.0], [-3.0, 0.25]])
    points = plane.origin + wanted[:, :1] * plane.step_y + wanted[:, 1:] * plane.step_x
    np.testing.assert_allclose(plane.indices(points + 3 * plane.normal), wanted, rtol=0, atol=1e-9)
    np.testing.assert_allclose(plane.indices(plane.points())[4, 9], [4, 9], rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_a_grid_lies_where_itk_puts_it(seed):
    """SimpleITK's own geometry of the same oblique image is the oracle."""
    grid = oblique_grid(seed)
    image = sitk.Image(18, 16, 5, sitk.sitkFloat32)
    image.SetOrigin(grid.origin.tolist())
    image.SetSpacing(grid.spacing)
    steps = np.stack([grid.step_x, grid.step_y, grid.step_z]) / np.array(grid.spacing)[:, None]
    image.SetDirection(steps.T.ravel().tolist())
    for index in ([0, 0, 0], [4, 15, 17], [2, 3, 11]):
        want = image.TransformIndexToPhysicalPoint(index[::-1])
        assert grid.position(np.array(index)) == pytest.approx(want, abs=1e-9)
        assert grid.indices(np.array(want)) == pytest.approx(index, abs=1e-9)
        assert grid.affine @ [*index[::-1], 1] == pytest.approx([*want, 1], abs=1e-9)


def test_a_grids_spacing_volume_and_planes():
    grid = oblique_grid()
    assert grid.spacing == pytest.approx((1.5, 1.25, 8))
    assert grid.voxel_ml == pytest.approx(0.015)
    plane = grid.plane(3)
    assert plane.shape == (16, 18)
    rows, columns = np.mgrid[:16, :18]
    indices = np.stack([np.full((16, 18), 3), rows, columns], -1)
    assert plane.points() == pytest.approx(grid.position(indices), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("order", [0, 1])
def test_a_grid_sampled_at_its_own_points_is_unchanged_to_the_border(seed, order):
    grid = oblique_grid(seed)
    array = np.random.default_rng(seed).normal(1, 0.1, grid.shape)
    points = np.stack([grid.plane(z).points() for z in range(5)])
    assert grid.sample(array, points, order=order, fill=-100) == pytest.approx(array, abs=1e-6)


def test_a_grid_samples_a_linear_field_exactly_and_fills_outside():
    grid = oblique_grid(3)
    indices = np.moveaxis(np.indices(grid.shape), 0, -1)
    slope = np.array([0.3, -0.2, 0.7])
    array = grid.position(indices) @ slope
    inside = grid.position(np.random.default_rng(0).uniform(0, [4, 15, 17], (200, 3)))
    assert grid.sample(array, inside) == pytest.approx(inside @ slope, abs=1e-6)
    outside = grid.position(np.array([[-0.01, 3, 3], [4.01, 3, 3], [2, 15.01, 3], [2, 3, -0.01]]))
    assert grid.sample(array, outside, fill=-7).tolist() == [-7] * 4


def test_a_padded_grid_is_sampled_out_to_the_far_sides_of_its_voxels():
    grid = oblique_grid(2)
    array, bigger = padded(np.ones(grid.shape), grid)
    assert array.shape == bigger.shape == (7, 18, 20)
    assert array.sum() == np.prod(grid.shape)
    assert bigger.position([1, 1, 1]) == pytest.approx(grid.origin)
    sides = grid.position([[-0.4, 3, 3], [4.4, 3, 3], [2, 15.4, 3], [2, 3, -0.4]])
    assert bigger.sample(array, sides, order=0).tolist() == [1] * 4
    assert grid.sample(np.ones(grid.shape), sides, order=0).tolist() == [0] * 4


def test_a_sheared_grid_needs_no_right_angles():
    grid = Grid(np.zeros(3), np.array([2.0, 0, 0]), np.array([0, 2.0, 0]), np.array([1.0, 0, 8]), (3, 4, 4))
    assert grid.position(np.array([2, 1, 1])) == pytest.approx([4, 2, 16])
    assert grid.indices(np.array([4, 2, 16])) == pytest.approx([2, 1, 1])
    assert grid.voxel_ml == pytest.approx(0.032)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("order", [0, 1])
def test_a_plane_resampled_to_itself_is_unchanged_to_the_border(seed, order):
    plane = oblique_plane(seed)
    image = np.random.default_rng(seed).normal(1, 0.1, plane.shape)
    assert sample_plane(image, plane, plane, order=order, fill=-100) == pytest.approx(image, abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_twice_the_resolution_keeps_the_border(seed):
    plane = oblique_plane(seed)
    fine = Plane(plane.origin, plane.step_x / 2, plane.step_y / 2, (39, 59))
    image = np.random.default_rng(seed).normal(1, 0.1, plane.shape)
    result = sample_plane(image, plane, fine, fill=-100)
    assert result[::2, ::2] == pytest.approx(image, abs=1e-6)
    assert result[::2, 1::2] == pytest.approx((image[:, 1:] + image[:, :-1]) / 2, abs=1e-6)


def test_a_plane_further_along_the_normal_shows_the_same():
    plane = oblique_plane()
    image = np.random.default_rng(0).normal(size=plane.shape)
    away = Plane(plane.origin + 30 * plane.normal, plane.step_x, plane.step_y, plane.shape)
    assert sample_plane(image, plane, away) == pytest.approx(image, abs=1e-6)


@given(
    rows=st.integers(-6, 6),
    columns=st.integers(-6, 6),
    seed=st.integers(0, 50),
    order=st.sampled_from([0, 1]),
)
@settings(max_examples=40, deadline=None)
def test_a_displaced_plane_shows_the_image_displaced(rows, columns, seed, order):
    plane = oblique_plane(seed)
    target = Plane(
        plane.origin + rows * plane.step_y + columns * plane.step_x, plane.step_x, plane.step_y, plane.shape
    )
    image = np.random.default_rng(seed).normal(1, 0.1, plane.shape)
    result = sample_plane(image, plane, target, order=order, fill=-9)
    want = np.full(plane.shape, -9.0)
    height, width = plane.shape
    want[max(-rows, 0) : height - max(rows, 0), max(-columns, 0) : width - max(columns, 0)] = image[
        max(rows, 0) : height + min(rows, 0), max(columns, 0) : width + min(columns, 0)
    ]
    assert result == pytest.approx(want, abs=1e-5)


def test_resampling_turned_in_the_plane_follows_patient_space():
    plane = oblique_plane(1, (41, 41), 1.0)
    slope = plane.step_x + 2 * plane.step_y
    image = plane.points() @ slope
    angle = 0.5
    step_x = np.cos(angle) * plane.step_x + np.sin(angle) * plane.step_y
    step_y = -np.sin(angle) * plane.step_x + np.cos(angle) * plane.step_y
    turned = Plane(plane.centre - 10 * step_x - 10 * step_y, step_x, step_y, (21, 21))
    assert sample_plane(image, plane, turned) == pytest.approx(turned.points() @ slope, abs=1e-6)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("zoom", [0.6, 1.0, 2.3])
def test_planes_that_are_not_turned_are_sampled_as_scipy_does(order, zoom):
    plane = oblique_plane(3)
    target = Plane(
        plane.origin + 2.7 * plane.step_x - 1.25 * plane.step_y,
        plane.step_x * zoom,
        plane.step_y * zoom,
        (25, 31),
    )
    images = np.random.default_rng(0).normal(size=(2, 3, *plane.shape)).astype(np.float32)
    smooth = ndimage.gaussian_filter(images, (0, 0, *(0.4 * zoom * (zoom > 1.2),) * 2))
    expected = [
        [
            ndimage.affine_transform(item, (zoom, zoom), (-1.25, 2.7), (25, 31), order=order, cval=-9)
            for item in some
        ]
        for some in smooth
    ]
    result = sample_plane(images, plane, target, order=order, fill=-9)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_less_resolution_does_not_alias():
    plane = Plane(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), (64, 64))
    image = np.indices((64, 64)).sum(0) % 2 * 1.0
    coarse = Plane(np.zeros(3), np.array([4.0, 0, 0]), np.array([0, 4.0, 0]), (16, 16))
    # Every pixel of the coarse plane falls on a 0 of the checkerboard whose mean is 1/2.
    assert sample_plane(image, plane, coarse)[2:-2, 2:-2] == pytest.approx(0.5, abs=0.05)
    assert sample_plane(image, plane, coarse, order=0).max() == 0


def test_labels_stay_labels():
    plane = oblique_plane(2)
    labels = np.random.default_rng(0).integers(0, 4, plane.shape).astype(np.uint8)
    target = Plane(plane.origin + 0.3 * plane.step_x, plane.step_x * 0.7, plane.step_y * 1.9, (10, 40))
    result = sample_plane(labels, plane, target, order=0)
    assert result.dtype == np.uint8
    assert set(np.unique(result)) <= {0, 1, 2, 3}
