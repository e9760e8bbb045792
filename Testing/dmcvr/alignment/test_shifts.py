"""The shifts of slices as data."""

import numpy as np
import pytest
from dmcvr.alignment.shifts import SliceShifts, in_plane, moved_back
from dmcvr.simulation.phantom import PhantomConfig, make_phantom


def test_a_slice_moved_back_lies_where_the_heart_was_at_rest():
    phantom = make_phantom(PhantomConfig(slice_gap_mm=20.0), frames=[0])
    stack = phantom.sax
    found = SliceShifts(in_plane(phantom.shifts, stack))
    through = phantom.shifts - found.vectors(stack)
    assert np.allclose(np.cross(through, stack.normal), 0, atol=1e-9)
    assert np.allclose(moved_back(stack, found).origins, stack.origins - found.vectors(stack))


def test_lengths_and_the_largest():
    shifts = SliceShifts(np.array([[3.0, 4.0], [0.0, -1.0]]))
    assert shifts.lengths.tolist() == [5, 1]
    assert shifts.largest == 5
    assert SliceShifts.none(4).largest == 0
    assert SliceShifts.none(4).source == "none"


def test_shifts_of_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match="x and y"):
        SliceShifts(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="one value"):
        SliceShifts(np.zeros((4, 2)), np.zeros(3))
