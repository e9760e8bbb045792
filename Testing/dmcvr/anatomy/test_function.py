"""Volumes and function against arithmetic."""

import numpy as np
import pytest
from dmcvr.anatomy import function as anatomy
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC, LVM, RVC


def test_volumes_count_voxels():
    labels = np.array([LVC] * 3 + [LVM] * 2 + [0] * 3, np.uint8).reshape(2, 2, 2)
    assert anatomy.volumes_ml(labels, 0.5) == {"LVC": 1.5, "LVM": 1.0, "RVC": 0.0}


def test_disc_summation_uses_true_gaps():
    labels = np.zeros((4, 10, 10), np.uint8)
    labels[:, :5] = LVC  # 50 pixels a slice
    labels[2, 8] = RVC  # 10 pixels, in a slice that owns half of 10 and half of 20 mm
    volumes = anatomy.stack_volumes_ml(labels, np.array([0.0, 8.0, 18.0, 38.0]), 2.0)
    assert volumes["LVC"] == pytest.approx(50 * 2.0 * (8 + 9 + 15 + 20) / 1000)
    assert volumes["RVC"] == pytest.approx(10 * 2.0 * 15 / 1000)
    assert volumes["LVM"] == 0


def test_disc_summation_agrees_with_voxels_on_a_regular_stack(tilted):
    labels, grid = tilted
    discs = anatomy.stack_volumes_ml(labels, 2.0 * np.arange(len(labels)), 1.5 * 1.5)
    voxels = anatomy.volumes_ml(labels, grid.voxel_ml)
    assert discs == pytest.approx(voxels)


def test_one_slice_has_no_volume():
    with pytest.raises(InputError, match="single slice"):
        anatomy.stack_volumes_ml(np.ones((1, 4, 4), np.uint8), np.zeros(1), 1.0)


def test_function():
    assert anatomy.ejection_fraction(120, 48) == pytest.approx(60)
    assert anatomy.mass_g(100) == pytest.approx(105)
    assert anatomy.find_ed_es([118, 121, 80, 46, 90]) == (1, 3)
    with pytest.raises(InputError, match="end-diastole"):
        anatomy.ejection_fraction(0, 0)
    with pytest.raises(InputError, match="no frames"):
        anatomy.find_ed_es([])


def test_one_frame_has_volumes_but_no_function():
    numbers = anatomy.clinical_numbers([{"LVC": 100.0, "LVM": 80.0, "RVC": 110.0}], ed=7, es=None)
    assert numbers["LV cavity, ml"] == 100
    assert numbers["LV mass, g"] == pytest.approx(84)
    assert not any("fraction" in name for name in numbers)
