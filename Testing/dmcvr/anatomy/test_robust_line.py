"""The robust line through points."""

import numpy as np
import pytest
from dmcvr.anatomy.robust_line import robust_line
from scipy.stats import theilslopes


@pytest.mark.parametrize("count", [2, 3, 10, 11])
def test_it_is_that_of_scipy(count):
    rng = np.random.default_rng(count)
    values, positions = rng.normal(size=count), rng.integers(0, 6, count) + np.arange(count) % 2
    positions[:2] = 0, 7
    found = theilslopes(values, positions)
    assert robust_line(values, positions) == (found.slope, found.intercept)


def test_a_few_points_that_are_far_off_do_not_bend_it():
    positions = np.arange(9.0)
    values = 2 * positions - 1
    values[[1, 8]] = 100, -50
    assert robust_line(values, positions) == pytest.approx((2, -1))
