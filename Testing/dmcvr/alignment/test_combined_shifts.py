"""Shifts from long-axis images and from shapes, put together."""

import numpy as np
import pytest
from dmcvr.alignment.combined_shifts import combined_shifts
from dmcvr.alignment.shifts import SliceShifts

TRUE = np.array([[2.0, 0], [-1, 1], [0, -3], [-1, 2]])


def test_two_that_agree_but_for_what_neither_can_tell_give_the_same():
    lax = SliceShifts(TRUE, np.full(4, 0.5), "lax")
    shape = SliceShifts(TRUE + np.array([3.0, -2.0]), np.full(4, 1.0), "shape")
    found = combined_shifts(lax, shape)
    assert found.mm == pytest.approx(TRUE)
    assert found.source == "both"
    assert found.sd == pytest.approx(np.full(4, 0.2**0.5))


def test_the_more_certain_one_counts_more():
    lax, shape = (SliceShifts(mm, np.full(4, sd)) for mm, sd in ((TRUE, 0.5), (0 * TRUE, 2.0)))
    assert combined_shifts(lax, shape).mm == pytest.approx(TRUE * 16 / 17)


def test_where_one_says_nothing_the_other_counts():
    lax = SliceShifts(TRUE * [[1], [1], [1], [0]], np.array([0.5, 0.5, 0.5, np.nan]), "lax")
    shape = SliceShifts(TRUE * [[0], [1], [1], [1]], np.array([np.inf, 1, 1, 1]), "shape")
    found = combined_shifts(lax, shape)
    assert found.mm == pytest.approx(TRUE)
    assert found.sd[3] == pytest.approx(1)
    nothing = SliceShifts(0 * TRUE, np.full(4, np.nan))
    found = combined_shifts(nothing, SliceShifts(0 * TRUE, np.array([1, 1, 1, np.inf])))
    assert (found.mm == 0).all()
    assert np.isinf(found.sd[3])


def test_errors_that_are_not_known_cannot_be_weighed():
    with pytest.raises(ValueError, match="standard deviations"):
        combined_shifts(SliceShifts(TRUE), SliceShifts(TRUE, np.ones(4)))


def test_simulated_errors_are_smaller_than_either():
    rng = np.random.default_rng(0)
    left = {"lax": [], "shape": [], "both": []}
    for _ in range(50):
        errors = rng.normal(size=(2, 9, 2)) * np.array([0.5, 0.6])[:, None, None]
        true = rng.normal(size=(9, 2)) * 2
        lax, shape = (
            SliceShifts(true + errors[0], np.full(9, 0.5)),
            SliceShifts(true + errors[1], np.full(9, 0.6)),
        )
        for name, shifts in (("lax", lax), ("shape", shape), ("both", combined_shifts(lax, shape))):
            away = shifts.mm - true
            left[name].append(np.square(away - away.mean(0)).mean())
    assert np.mean(left["both"]) < 0.85 * min(np.mean(left["lax"]), np.mean(left["shape"]))
