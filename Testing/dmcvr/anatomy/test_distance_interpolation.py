"""The shape between two slices: the straight line, tapering ends, the apex."""

import numpy as np
import pytest
from dmcvr.anatomy.distance_interpolation import End, apical_end, between, heart_areas, interpolate_distances
from dmcvr.anatomy.signed_distances import labels_from_distances
from dmcvr.core.labels import LVC, LVM, RVC
from drawnhearts import areas, disc_heart, whole


@pytest.mark.parametrize("t", [0.0, 0.25, 0.5, 1.0])
def test_between_two_discs_lies_the_disc_of_interpolated_radius(t):
    first, second = whole(disc_heart(20), disc_heart(12))
    found = between(first, second, t, None)
    radius = 20 * (1 - t) + 12 * t
    for channel, expected in ((0, radius - 5), (1, radius)):
        assert (found[channel] > 0).sum() == pytest.approx(np.pi * expected**2, rel=0.06)


def test_the_wall_stays_closed_when_it_moves_by_more_than_its_thickness():
    first, second = disc_heart(20, wall=3), disc_heart(10, wall=3)
    found = labels_from_distances(between(*whole(first, second), 0.5, None))
    cavity = np.argwhere(found == LVC)
    assert (found == LVM).sum() == pytest.approx(np.pi * (15**2 - 12**2), rel=0.1)
    for y, x in cavity:
        assert (found[y - 1 : y + 2, x - 1 : x + 2] != 0).all()


POSITIONS = np.array([0.0, 10.0, 20.0, 28.0])


WANTED = np.linspace(0, 28, 57)


def test_toward_the_apex_a_structure_shrinks_to_a_point_half_way_to_the_slice_without_it():
    empty = np.zeros((64, 64), np.uint8)
    stack = whole(disc_heart(22), disc_heart(18), disc_heart(12), empty)
    found = areas(interpolate_distances(stack, POSITIONS, WANTED, End.LAST), 1)
    tip = (WANTED > 20) & (WANTED < 24)
    assert (found[WANTED >= 24] == 0).all()
    assert (found[tip] > 0).all()
    assert (np.diff(found[tip]) < 0).all()
    cone = np.pi * 12**2 * (1 - (WANTED[tip] - 20) / 4) ** 2
    np.testing.assert_allclose(found[tip], cone, atol=30)


def test_toward_the_base_a_structure_keeps_its_shape_and_ends_half_way():
    empty = np.zeros((64, 64), np.uint8)
    stack = whole(empty, disc_heart(22), disc_heart(18), disc_heart(12))
    found = interpolate_distances(stack, POSITIONS, WANTED, End.LAST)
    last = (WANTED > 5) & (WANTED <= 10)
    assert (found[last] == stack[1]).all()
    assert (areas(found[WANTED < 5], 1) == 0).all()
    half_way = areas(found[WANTED == 5], 1)
    assert half_way == pytest.approx([np.count_nonzero(stack[1][1] > 0) / 2], abs=1)


def test_muscle_beside_the_valve_does_not_become_a_lid_over_the_cavity():
    basal = disc_heart(14)
    rim = np.where(np.indices(basal.shape)[1] > 40, np.where(basal == LVC, LVM, basal), 0).astype(np.uint8)
    assert (rim == LVM).any()
    assert not (rim == LVC).any()
    maps = whole(basal, rim)
    for t, expected in ((0.25, basal), (0.48, basal), (0.52, rim), (0.75, rim)):
        for order, apex, at in ((maps, End.FIRST, t), (maps[::-1], End.LAST, 1 - t)):
            found = labels_from_distances(between(*order, at, apex))
            assert ((found == LVC) == (expected == LVC)).all()
            assert ((found == LVM) == (expected == LVM)).all()
    half_way = labels_from_distances(between(*maps, 0.5, End.FIRST))
    for label in (LVC, LVM):
        mean = ((basal == label).sum() + (rim == label).sum()) / 2
        assert (half_way == label).sum() == pytest.approx(mean, rel=0.02)


def test_the_ends_mirror_when_the_stack_is_turned_round():
    empty = np.zeros((64, 64), np.uint8)
    stack = whole(empty, disc_heart(22), disc_heart(18), empty)
    forth = interpolate_distances(stack, POSITIONS, WANTED, End.LAST)
    back = interpolate_distances(stack[::-1], 28 - POSITIONS[::-1], 28 - WANTED[::-1], End.FIRST)
    np.testing.assert_allclose(forth, back[::-1], atol=1e-4)


def test_without_a_known_apex_both_ends_taper():
    empty = np.zeros((64, 64), np.uint8)
    stack = whole(empty, disc_heart(16), disc_heart(16), empty)
    found = areas(interpolate_distances(stack, POSITIONS, WANTED, None), 1)
    assert 0 < found[WANTED == 7][0] < found[WANTED == 10][0]
    assert 0 < found[WANTED == 22][0] < found[WANTED == 20][0]


def test_the_taper_is_continuous_up_to_the_slice_without_the_structure():
    first, second = whole(disc_heart(16), np.zeros((64, 64), np.uint8))
    steps = np.stack([between(first, second, t, End.LAST) for t in np.linspace(0, 1, 101)])
    np.testing.assert_array_equal(steps[0], first)
    np.testing.assert_array_equal(steps[-1], second)
    assert np.abs(np.diff(steps, axis=0)).max() < 2.5


def test_acquired_positions_give_back_their_maps_exactly_and_gaps_may_differ():
    stack = whole(disc_heart(22), disc_heart(18), disc_heart(12), np.zeros((64, 64), np.uint8))
    np.testing.assert_array_equal(interpolate_distances(stack, POSITIONS, POSITIONS, End.LAST), stack)
    found = interpolate_distances(stack, POSITIONS, np.array([24.0 - 1e-9, 15.0]), End.LAST)
    np.testing.assert_allclose(found[1], (stack[1] + stack[2]) / 2, atol=1e-5)


def test_nothing_lies_beyond_the_ends():
    with pytest.raises(ValueError, match="between"):
        interpolate_distances(
            whole(disc_heart(9), disc_heart(9)), np.array([0.0, 10.0]), np.array([10.5]), None
        )


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ([0, 30, 40, 38, 25, 10, 0], End.LAST),
        ([0, 10, 25, 38, 40, 30, 0], End.FIRST),
        ([12, 40, 38, 30, 20, 8], End.LAST),
        ([0, 30, 31, 30, 30, 0], None),
        ([0, 30, 0], None),
        ([0, 0, 0], None),
    ],
)
def test_the_apex_is_where_the_heart_narrows(profile, expected):
    assert apical_end(np.array(profile), np.arange(len(profile)) * 8.0) is expected


def test_heart_areas_count_all_three_structures():
    labels = np.array([[[LVC, LVM, RVC, 0]], [[0, 0, RVC, 0]], [[0, 0, 0, 0]]], np.uint8)
    np.testing.assert_array_equal(heart_areas(labels), [3, 1, 0])
