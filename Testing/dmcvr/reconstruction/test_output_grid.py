"""The grid of a reconstruction and the in-plane frame of a stack."""

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Plane
from dmcvr.core.stack import Stack
from dmcvr.reconstruction.output_grid import (
    ON_GRID_MM,
    extended,
    plan_layout,
    slice_spacing,
    straighten,
    window_plane,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation


def make_stack(positions, displacements=None, seed: int = 0, spacing: float = 1.5) -> Stack:
    """An oblique stack of smooth slices, 24 x 32; displacements: (S, 2) mm along the columns and rows."""
    x, y, normal = Rotation.random(random_state=seed).as_matrix()
    normal = np.cross(x, y)
    positions = np.asarray(positions, float)
    origins = np.array([40.0, -25.0, 60.0]) + (positions - positions[0])[:, None] * normal
    shift = np.zeros((len(positions), 2)) if displacements is None else np.asarray(displacements, float)
    origins = origins + shift[:, :1] * x + shift[:, 1:] * y
    frames = np.empty((2, len(positions), 24, 32), np.float32)
    rows, columns = np.mgrid[:24, :32] * spacing
    for index, (along_x, along_y) in enumerate(shift):
        # A bump fixed in patient space: a displaced slice shows it displaced the other way.
        away = np.hypot(rows + along_y - 16, columns + along_x - 24)
        frames[:, index] = 100 * np.exp(-((away / 8) ** 2)) + index
    return Stack(frames, origins, x * spacing, y * spacing)


@pytest.mark.parametrize(
    ("gap", "spacing", "want"),
    [(10, 1.4, 10 / 7), (8, 1.5, 8 / 5), (9.6, 1.8, 9.6 / 5), (8, 8, 8), (10, 30, 10), (1.4, 1, 1.4)],
)
def test_a_regular_gap_is_divided_evenly(gap, spacing, want):
    assert slice_spacing(np.arange(9) * gap, spacing) == pytest.approx(want)


@pytest.mark.parametrize(
    ("gaps", "spacing", "want"),
    [
        ((10, 10, 20, 10), 1.4, 10 / 7),
        ((10, 10, 20, 10), 25, 10),
        ((8, 12, 8), 1.5, 8 / 6),  # 8 / 5 does not divide 12, 8 / 6 does
        ((6, 9, 12), 1.0, 1.0),
    ],
)
def test_irregular_gaps_share_a_divisor_where_there_is_one(gaps, spacing, want):
    assert slice_spacing(np.cumsum([0, *gaps]), spacing) == pytest.approx(want)


def test_gaps_without_a_common_divisor_divide_the_length():
    positions = np.cumsum([0, 8, 9.3, 8, 9.3])
    step = slice_spacing(positions, 1.5)
    assert step == pytest.approx(34.6 / 23)
    layout = plan_layout(make_stack(positions), 1.5)
    assert layout.acquired[0] == 0
    assert layout.acquired[-1] == 4
    assert 1 not in layout.acquired


def test_a_tiny_gap_does_not_make_thousands_of_slices():
    positions = np.array([0, 0.02, 50, 100.0])
    assert slice_spacing(positions, 1.5) == pytest.approx(1.5, rel=0.02)


@pytest.mark.parametrize("seed", range(10))
def test_rounded_positions_over_fifteen_slices_stay_on_the_grid(seed):
    positions = np.arange(15) * 9.6 + np.random.default_rng(seed).uniform(-0.0005, 0.0005, 15)
    layout = plan_layout(make_stack(positions), 1.6)
    assert len(layout.acquired) == 14 * 6 + 1
    assert layout.acquired[::6] == tuple(range(15))


@given(
    gap=st.floats(2, 15),
    pattern=st.lists(st.integers(1, 3), min_size=1, max_size=14),
    spacing=st.floats(0.5, 5),
    seed=st.integers(0, 1000),
)
@settings(max_examples=80, deadline=None)
def test_acquired_slices_come_back_where_they_were(gap, pattern, spacing, seed):
    assume(1 in pattern)
    stack = make_stack(np.cumsum([0, *np.array(pattern) * gap]), seed=seed)
    assume(spacing <= stack.positions[-1])
    layout = plan_layout(stack, spacing)
    assert [index for index in layout.acquired if index is not None] == list(range(len(stack.origins)))
    for z, index in enumerate(layout.acquired):
        if index is not None:
            assert np.linalg.norm(layout.grid.plane(z).origin - stack.origins[index]) <= ON_GRID_MM + 1e-9
            assert layout.wanted[z] == stack.positions[index]
    assert (np.diff(layout.wanted) > 0).all()
    even = np.arange(len(layout.wanted)) * layout.grid.spacing[2]
    assert np.abs(layout.wanted - even).max() <= ON_GRID_MM


@given(
    gaps=st.lists(st.floats(3, 14), min_size=1, max_size=10),
    spacing=st.floats(0.8, 3),
    noise=st.integers(0, 100),
)
@settings(max_examples=80, deadline=None)
def test_whatever_the_gaps_first_and_last_slice_lie_on_the_grid(gaps, spacing, noise):
    stack = make_stack(np.cumsum([0, *gaps]), seed=noise)
    layout = plan_layout(stack, spacing)
    assert layout.acquired[0] == 0
    assert layout.acquired[-1] == len(gaps)
    assert spacing * 0.6 <= layout.grid.spacing[2] <= spacing * 1.5
    for z, index in enumerate(layout.acquired):
        if index is not None:
            assert np.linalg.norm(layout.grid.plane(z).origin - stack.origins[index]) <= ON_GRID_MM + 1e-9
        else:
            assert np.abs(stack.positions - layout.wanted[z]).min() > ON_GRID_MM


def test_the_grid_is_the_first_slices_and_oblique_as_the_stack_is():
    stack = make_stack([0, 8, 16], seed=5)
    grid = plan_layout(stack, 2.0).grid
    assert grid.shape == (9, 24, 32)
    assert np.array_equal(grid.origin, stack.origins[0])
    assert np.array_equal(grid.step_x, stack.step_x)
    assert np.array_equal(grid.step_y, stack.step_y)
    assert grid.step_z == pytest.approx(2 * stack.normal)


def test_the_in_plane_spacing_is_the_default():
    assert plan_layout(make_stack([0, 9, 18], spacing=1.5)).grid.spacing[2] == pytest.approx(1.5)


@pytest.mark.parametrize("spacing", [0, -1, float("nan"), 17, 0.001])
def test_a_spacing_that_makes_no_sense_is_refused(spacing):
    with pytest.raises(InputError, match="spacing"):
        plan_layout(make_stack([0, 8, 16]), spacing)


def test_a_grid_is_extended_by_whole_slices_and_what_it_held_stays_in_its_place():
    stack = make_stack([0, 8, 16, 24])
    layout = plan_layout(stack, 2.0)
    longer = extended(layout, -5.0, 30.0)
    assert longer.wanted.tolist() == pytest.approx(np.arange(-4, 31, 2.0))
    assert longer.acquired == (None, None, *layout.acquired, None, None, None)
    for z, place in enumerate(longer.wanted):
        assert longer.grid.plane(z).origin == pytest.approx(stack.origins[0] + place * stack.normal)


def test_a_grid_that_holds_the_heart_is_not_extended():
    layout = plan_layout(make_stack([0, 8, 16, 24]), 2.0)
    same = extended(layout, 3.0, 24.0)
    assert same.acquired == layout.acquired
    assert same.grid.shape == layout.grid.shape


def test_a_straight_stack_is_left_untouched():
    stack = make_stack([0, 8, 17, 24], seed=3)
    straight, displacement = straighten(stack)
    assert straight is stack
    assert displacement == 0


def test_rounding_of_the_positions_does_not_count_as_displacement():
    rounding = np.random.default_rng(0).uniform(-0.0005, 0.0005, (4, 2))
    stack = make_stack([0, 8, 16, 24], rounding)
    assert straighten(stack)[0] is stack


def test_a_displacement_is_undone():
    """Slices displaced by parts of a pixel, as a file of breath-hold corrected positions says."""
    shift = [(0, 0), (2.2, -1.1), (-3.0, 0.75), (0, 1.5)]
    positions = [0, 8, 16, 24]
    stack, true = make_stack(positions, shift, seed=7), make_stack(positions, seed=7)
    straight, displacement = straighten(stack)
    assert displacement == pytest.approx(np.hypot(3, 0.75))
    assert straight.origins == pytest.approx(true.origins)
    assert straight.positions == pytest.approx(stack.positions)
    inner = (..., slice(3, -3), slice(3, -3))
    assert np.abs(straight.frames - true.frames)[inner].max() < 2  # of 100: linear interpolation's own error
    assert np.abs(stack.frames - true.frames)[inner].max() > 15
    assert np.array_equal(straight.frames[:, 0], stack.frames[:, 0])


def test_a_window_is_square_centred_and_parallel():
    plane = Plane(np.zeros(3), np.array([0, 1.25, 0]), np.array([0, 0, 1.5]), (100, 120))
    centre = np.array([0, 40.0, 30.0])
    window = window_plane(plane, centre, 128, 1.5)
    assert window.shape == (128, 128)
    assert window.centre == pytest.approx(centre)
    assert window.spacing == pytest.approx((1.5, 1.5))
    assert window.normal == pytest.approx(plane.normal)
