import numpy as np
import pytest
from dmcvr.core.positions import bracket
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=12), st.floats(0, 1))
def test_the_fraction_leads_back_to_the_wanted_position(gaps, share):
    positions = np.concatenate([[0], np.cumsum(gaps)])
    wanted = np.array([share * positions[-1]])
    below, above, t = bracket(positions, wanted)
    assert 0 <= t[0] < 1
    np.testing.assert_allclose((1 - t) * positions[below] + t * positions[above], wanted, atol=2e-4)


def test_acquired_positions_are_their_own_neighbours_even_after_rounding():
    positions = np.array([0.0, 9.6, 21.0])
    below, above, t = bracket(positions, positions + np.array([-1e-7, 1e-7, 1e-7]))
    np.testing.assert_array_equal(below, [0, 1, 2])
    np.testing.assert_array_equal(above, [0, 1, 2])
    np.testing.assert_array_equal(t, 0)


def test_irregular_gaps():
    below, above, t = bracket(np.array([0.0, 10.0, 14.0]), np.array([2.5, 11.0]))
    np.testing.assert_array_equal(below, [0, 1])
    np.testing.assert_array_equal(above, [1, 2])
    np.testing.assert_allclose(t, 0.25)


def test_a_single_slice_stands_for_itself_alone():
    below, above, t = bracket(np.array([3.0]), np.array([3.0]))
    assert (below[0], above[0], t[0]) == (0, 0, 0)


@pytest.mark.parametrize("wanted", [-0.5, 10.5])
def test_positions_beyond_the_ends_are_refused(wanted):
    with pytest.raises(ValueError, match="between"):
        bracket(np.array([0.0, 10.0]), np.array([wanted]))


def test_positions_must_increase():
    with pytest.raises(ValueError, match="increase"):
        bracket(np.array([0.0, 0.0]), np.array([0.0]))
