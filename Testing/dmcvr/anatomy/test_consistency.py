"""What labels of a heart should hold."""

import numpy as np
import pytest
from dmcvr.anatomy.consistency import missing_inner_slices
from dmcvr.anatomy.distance_interpolation import End, interpolate_distances
from dmcvr.anatomy.signed_distances import WHOLE_MM, nested_distances
from dmcvr.core.labels import RVC
from drawnhearts import SPACING, areas, disc_heart


def test_a_structure_missed_in_an_inner_slice_is_absent_there_and_reported():
    slices = np.stack([disc_heart(20), disc_heart(18, rv=False), disc_heart(16)])
    assert missing_inner_slices(slices) == [(RVC, 1)]
    assert missing_inner_slices(slices[:2]) == []
    distances = nested_distances(slices, SPACING, WHOLE_MM)
    found = areas(interpolate_distances(distances, np.arange(3) * 10.0, np.arange(0, 21, 2.5), End.LAST), 2)
    assert (found[[3, 4, 5]] == 0).all()
    assert (found[[0, 1, 7, 8]] > 0).all()
    # It tapers toward the apex; toward the base it keeps its shape, and half of its area counts half-way.
    assert found[2] == pytest.approx(found[0] / 2, abs=1) or found[6] == pytest.approx(found[8] / 2, abs=1)
