"""The shape between slices where no network completes it."""

import numpy as np
from dmcvr.anatomy.distance_interpolation import apical_end, heart_areas, interpolate_distances
from dmcvr.anatomy.signed_distances import WHOLE_MM, nested_distances
from dmcvr.reconstruction.shape_between_slices import ShapeBetweenSlices


def test_it_is_the_straight_line_and_a_slices_own_at_the_slice(heart):
    stack, labels = heart
    line = ShapeBetweenSlices(stack, labels[0])
    maps = nested_distances(labels[0], stack.spacing, WHOLE_MM)
    np.testing.assert_array_equal(line.at(stack.positions), maps)
    wanted = np.linspace(stack.positions[0], stack.positions[-1], 7)
    apex = apical_end(heart_areas(labels[0]), stack.positions)
    expected = interpolate_distances(maps, stack.positions, wanted, apex)
    np.testing.assert_array_equal(line.at(wanted), expected)
