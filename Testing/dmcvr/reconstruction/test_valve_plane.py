"""Valve planes of ventricles whose base moves as is known."""

import numpy as np
import pytest
from dmcvr.core.labels import LVC, RVC
from dmcvr.reconstruction.valve_plane import MARGIN_MM, ValvePlane, ejection_course, fit_valve_plane

T = np.arange(25) / 25
FULLNESS = (1 + np.cos(2 * np.pi * T)) / 2
POSITIONS = 10.0 * np.arange(10)


def ventricle(lowest, excursion, ejected=0.6):
    """Areas (T, S) of a ventricle between 15 mm and its plane, and the plane (T,) mm."""
    plane = lowest + excursion * FULLNESS
    area = 1000 * (1 - ejected * (1 - FULLNESS))
    shown = (POSITIONS >= 15) & (POSITIONS[None] < plane[:, None] - MARGIN_MM)
    return area[:, None] * shown, plane


@pytest.mark.parametrize(("cavity", "excursion"), [(LVC, 13.0), (RVC, 24.0)])
def test_the_plane_is_found_from_which_slices_show_the_ventricle(cavity, excursion):
    areas, plane = ventricle(58.0, excursion)
    found = fit_valve_plane(areas, POSITIONS, cavity, upward=True)
    assert found.positions == pytest.approx(plane, abs=4)
    assert np.abs(found.positions - plane).mean() < 2.5


def test_the_other_end_of_the_stack():
    areas, _ = ventricle(58.0, 13.0)
    up = fit_valve_plane(areas, POSITIONS, LVC, upward=True)
    down = fit_valve_plane(areas[:, ::-1], -POSITIONS[::-1], LVC, upward=False)
    assert down.positions == pytest.approx(-up.positions)
    assert not down.upward


def test_a_slice_that_flickers_does_not_move_the_plane_by_its_gap():
    areas, plane = ventricle(58.0, 13.0)
    areas[[3, 21], 7] = [900, 0]
    steady = fit_valve_plane(areas, POSITIONS, LVC, upward=True)
    assert np.abs(np.diff(steady.positions)).max() < 3
    assert np.abs(steady.positions - plane).max() < 5


def test_a_weak_ventricle_moves_its_plane_little():
    areas, _ = ventricle(63.0, 3.0, ejected=0.15)
    assert np.ptp(fit_valve_plane(areas, POSITIONS, LVC, upward=True).positions) < 6


def test_a_stack_that_ends_within_the_ventricle_tells_no_plane():
    areas, _ = ventricle(200.0, 10.0)
    assert fit_valve_plane(areas, POSITIONS, LVC, upward=True) is None
    assert fit_valve_plane(np.zeros_like(areas), POSITIONS, LVC, upward=True) is None


def test_slabs_are_cut_by_the_plane():
    plane = ValvePlane(np.array([12.0, 30.0]), upward=True)
    low, high = np.array([-5.0, 5.0, 15.0]), np.array([5.0, 15.0, 25.0])
    assert plane.height_within(low, high).tolist() == [[10, 7, 0], [10, 10, 10]]
    other = ValvePlane(np.array([12.0]), upward=False)
    assert other.height_within(low, high).tolist() == [[0, 3, 10]]
    assert plane.holds(np.array([0.0, 11.0, 29.0])).tolist() == [[True, True, False], [True, True, True]]


def test_the_course_of_an_ejection():
    course, ejected = ejection_course(100 * (0.4 + 0.6 * FULLNESS))
    assert course == pytest.approx(FULLNESS, abs=0.02)
    assert ejected == pytest.approx(0.6, abs=0.02)
    assert ejection_course(np.zeros(10))[1] == 0
