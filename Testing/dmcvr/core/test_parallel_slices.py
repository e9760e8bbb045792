import numpy as np
import pytest
from dmcvr.core.geometry import Plane
from dmcvr.core.parallel_slices import can_be_stacked, first_at_each_place, is_steep, stack_geometry

SHAPE = (40, 60)


def turned(degrees, axis=2, shift=(0.0, 0.0, 0.0), spacing=1.5, shape=SHAPE):
    """A slice turned about a world axis through its centre, which lies at ``shift``."""
    a, b = [other for other in range(3) if other != axis]
    turn = np.eye(3)
    turn[np.ix_([a, b], [a, b])] = [
        [np.cos(np.radians(degrees)), -np.sin(np.radians(degrees))],
        [np.sin(np.radians(degrees)), np.cos(np.radians(degrees))],
    ]
    step_x, step_y = spacing * turn[:, 0], spacing * turn[:, 1]
    half = step_x * (shape[1] - 1) / 2 + step_y * (shape[0] - 1) / 2
    return Plane(np.array(shift) - half, step_x, step_y, shape)


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        (turned(2.5), True),
        (turned(3.5), False),
        (turned(2.5, axis=0), True),
        (turned(3.5, axis=1), False),
        (turned(180), False),
        (turned(0, spacing=1.501), True),
        (turned(0, spacing=1.51), False),
        (turned(0, shape=(60, 40)), False),
    ],
)
def test_slices_of_one_stack_are_alike_but_for_their_position(other, fits):
    assert can_be_stacked(turned(0), other) is fits


def test_each_slice_is_turned_about_its_centre():
    planes = [turned(degrees, shift=(3.0, -4.0, 8.0 * k)) for k, degrees in enumerate([-1.0, 0.5, 0.5])]
    origins, step_x, step_y = stack_geometry(planes)
    assert origins.shape == (3, 3)
    for origin, plane in zip(origins, planes, strict=True):
        np.testing.assert_allclose(
            Plane(origin, step_x, step_y, SHAPE).centre, plane.centre, rtol=0, atol=1e-12
        )
    np.testing.assert_allclose(step_x, np.mean([plane.step_x for plane in planes], axis=0))
    np.testing.assert_allclose(step_y, np.mean([plane.step_y for plane in planes], axis=0))


def test_the_first_slice_at_a_place_counts():
    assert first_at_each_place([8.0, 0.0, 8.4, 16.0, 0.5, 15.6]) == [0, 1, 3, 4]
    # The one between, which was dropped, does not stand in the way of the third.
    assert first_at_each_place([0.8, 0.4, 0.0]) == [0, 2]


@pytest.mark.parametrize(
    ("degrees", "steep"), [(0, False), (44, False), (46, True), (90, True), (170, False)]
)
def test_long_axis_images_cross_the_slices_at_more_than_45_degrees(degrees, steep):
    assert is_steep(turned(0), turned(degrees, axis=0)) is steep
