"""The morphology code."""

import numpy as np
import pytest
import torch
from dmcvr.anatomy.signed_distances import nested_distances
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.model.morphology import REACH_MM, distance_code, scale_distances
from scipy import ndimage


def test_the_code_is_the_signed_distance_over_its_reach():
    labels = np.zeros((2, 64, 64), np.uint8)
    labels[0, 32 - 14 : 32 + 15, 32 - 14 : 32 + 15] = LVM
    labels[0, 32 - 8 : 32 + 9, 32 - 8 : 32 + 9] = LVC
    code = distance_code(torch.from_numpy(labels), 1.5)
    assert code.dtype == torch.float32
    assert code.shape == (2, 3, 64, 64)
    # Along a row through the middle, mm from the wall at 8 and at 14 pixels, in units of the reach.
    for channel, half in ((0, 8), (1, 14)):
        for column in (32 + half - 3, 32 + half + 4):
            want = (32 + half + 0.5 - column) * 1.5 / REACH_MM
            assert float(code[0, channel, 32, column]) == pytest.approx(want, abs=1e-6)
    assert (code[0, 2] == -1).all()
    assert (code[1] == -1).all()


def test_the_code_ends_at_one():
    labels = np.full((1, 64, 64), RVC, np.uint8)
    code = distance_code(torch.from_numpy(labels), 3.0)
    assert float(code.max()) == 1
    assert float(code[0, 2, 32, 32]) == 1
    assert scale_distances(np.array([[[[-99.0, 6.0]]]])).tolist() == [[[[-1.0, 0.5]]]]


@pytest.mark.parametrize("spacing", [0.9, 1.5, 6.0, 20.0])
def test_the_code_is_that_of_the_exact_distances(spacing):
    """Also at the border, for ragged shapes, and where the reach is less than a pixel."""
    random = np.random.default_rng(3)
    blobs = ndimage.gaussian_filter(random.normal(size=(6, 40, 48)), (0, 4, 4))
    labels = np.digitize(blobs / blobs.std(), [0.3, 0.9, 1.3]).astype(np.uint8)
    assert np.unique(labels).tolist() == [0, LVC, LVM, RVC]
    want = scale_distances(nested_distances(labels, (spacing, spacing), REACH_MM))
    torch.testing.assert_close(distance_code(torch.from_numpy(labels), spacing), want, atol=1e-6, rtol=0)
