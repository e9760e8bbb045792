"""Holes, pieces and curves of shapes of known answer."""

import numpy as np
import pytest
from dmcvr.core.geometry import Grid
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.whole_metrics import (
    apex_hole_mm2,
    largest_deviation_percent,
    pieces,
    root_mean_square_mm,
    roughness_percent,
    stroke_volume,
    volume_error_percent,
)

GRID = Grid(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 2.0, 0]), np.array([0, 0, 3.0]), (12, 20, 20))


def closed_cup():
    """A box of cavity in a box of wall, closed at the apex (high z), open at the base; it narrows there."""
    labels = np.zeros(GRID.shape, np.uint8)
    labels[0:6, 3:17, 3:17] = LVM
    labels[6:10, 5:15, 5:15] = LVM
    labels[0:9, 7:12, 7:12] = LVC
    return labels


def test_a_closed_apex_has_no_hole_and_the_base_is_none():
    assert apex_hole_mm2(closed_cup(), GRID) == 0


def test_a_pierced_wall_is_a_hole_of_its_faces():
    labels = closed_cup()
    labels[9, 8, 7:9] = LVC  # two voxels through the last layer of wall: out at the end, 1 x 2 mm each
    assert apex_hole_mm2(labels, GRID) == pytest.approx(2 * 2.0)
    labels[9, 8, 7] = LVM
    assert apex_hole_mm2(labels, GRID) == pytest.approx(2.0)


def test_a_hole_in_the_side_counts_by_its_own_faces():
    labels = closed_cup()
    labels[7, 8, 12:15] = LVC  # through the wall along x: one face of 2 x 3 mm outside
    assert apex_hole_mm2(labels, GRID) == pytest.approx(6.0)


def test_a_cavity_cut_open_by_the_end_of_the_array_is_a_hole():
    labels = closed_cup()[:8]
    grid = Grid(GRID.origin, GRID.step_x, GRID.step_y, GRID.step_z, labels.shape)
    assert apex_hole_mm2(labels, grid) == pytest.approx(5 * 5 * 2.0)


def test_the_other_ventricle_is_no_wall():
    labels = closed_cup()
    labels[7, 8, 12:15] = LVC
    labels[7, 8, 15] = RVC
    assert apex_hole_mm2(labels, GRID) == pytest.approx(6.0)


def test_no_cavity_has_no_hole():
    assert apex_hole_mm2(np.zeros(GRID.shape, np.uint8), GRID) == 0


def test_pieces_touch_by_corners():
    mask = np.zeros((4, 4, 4), bool)
    assert pieces(mask) == 0
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert pieces(mask) == 1
    mask[3, 3, 3] = True
    assert pieces(mask) == 2


def test_roughness_of_a_single_spike():
    curve = np.array([100.0, 100, 100, 50, 100])
    # Second differences: 0, 0, -50, 100, -50.
    assert roughness_percent(curve) == pytest.approx(100 * np.sqrt((50**2 + 100**2 + 50**2) / 5) / 50)


def test_roughness_of_a_sine_falls_with_the_frames_and_closes_the_cycle():
    t = np.arange(24) / 24
    smooth = roughness_percent(100 + 30 * np.cos(2 * np.pi * t))
    expected = 100 * (2 - 2 * np.cos(2 * np.pi / 24)) * 30 / np.sqrt(2) / 60
    assert smooth == pytest.approx(expected)
    assert roughness_percent(np.roll(100 + 30 * np.cos(2 * np.pi * t), 7)) == pytest.approx(smooth)


def test_curves_that_say_nothing():
    assert np.isnan(roughness_percent([1.0, 2.0]))
    assert np.isnan(roughness_percent([5.0, 5.0, 5.0]))
    assert np.isnan(largest_deviation_percent([0.0, 0.0]))
    assert np.isnan(volume_error_percent(3.0, 0.0))


def test_deviation_stroke_and_volume_error():
    assert largest_deviation_percent([90.0, 100, 100, 110]) == pytest.approx(10)
    assert stroke_volume([120.0, 60, 90]) == 60
    assert volume_error_percent(97.0, 100.0) == pytest.approx(-3)


def test_shifts_are_counted_about_their_mean():
    assert root_mean_square_mm(np.array([[3.0, 4.0], [3.0, 4.0]])) == 0
    assert root_mean_square_mm(np.array([[1.0, 0.0], [-1.0, 0.0]])) == 1
    assert root_mean_square_mm(np.empty((0, 2))) == 0
