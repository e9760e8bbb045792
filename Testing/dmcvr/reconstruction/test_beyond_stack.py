"""Slices beyond the stack are the more uncertain the further away they are."""

import numpy as np
import pytest
from dmcvr.reconstruction.beyond_stack import uncertain_as

POSITIONS = np.array([0.0, 8, 20, 30])


def test_within_the_stack_every_place_stands_for_itself():
    wanted = np.array([0.0, 3, 8, 29, 30])
    places, factors = uncertain_as(POSITIONS, wanted)
    np.testing.assert_array_equal(places, wanted)
    np.testing.assert_array_equal(factors, 1)


def test_beyond_it_the_gap_that_ends_there_is_mirrored_up_to_its_middle():
    places, factors = uncertain_as(POSITIONS, np.array([-8.0, -4, -1, 31, 35, 40]))
    assert places.tolist() == [4, 4, 1, 29, 25, 25]
    assert factors == pytest.approx([2, 2**0.5, (8 / 7) ** 0.5, (10 / 9) ** 0.5, 2**0.5, 2])


def test_it_grows_without_a_step():
    """Relative to the middle of the gap, of which the variance is a quarter of the gap."""
    away = np.linspace(0.01, 12, 200)
    places, factors = uncertain_as(POSITIONS, 30 + away)
    within = 30 - places
    deviation = factors * np.sqrt(within * (10 - within) / 10)
    np.testing.assert_allclose(deviation, np.sqrt(away))
