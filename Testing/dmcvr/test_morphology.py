"""The morphology code."""

import numpy as np
import pytest
import torch
from dmcvr.labels import LVC, LVM, RVC
from dmcvr.morphology import REACH_MM, distance_code, scale_distances


def test_the_code_is_the_signed_distance_over_its_reach():
    labels = np.zeros((2, 64, 64), np.uint8)
    labels[0, 32 - 14 : 32 + 15, 32 - 14 : 32 + 15] = LVM
    labels[0, 32 - 8 : 32 + 9, 32 - 8 : 32 + 9] = LVC
    code = distance_code(labels, 1.5)
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
    code = distance_code(labels, 3.0)
    assert float(code.max()) == 1
    assert float(code[0, 2, 32, 32]) == 1
    assert scale_distances(np.array([[[[-99.0, 6.0]]]])).tolist() == [[[[-1.0, 0.5]]]]
