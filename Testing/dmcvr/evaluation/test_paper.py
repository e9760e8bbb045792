import numpy as np
import pytest
from dmcvr.evaluation.metrics import surface_distances
from dmcvr.evaluation.paper import COLUMNS, NOTE, paper_distances, paper_quality


def test_distances_take_no_notice_of_mm():
    true = np.zeros((6, 12, 12), bool)
    true[1:4, 4:8, 4:8] = True
    scores = paper_distances(np.roll(true, 2, 0), true)
    assert scores["paper: HD voxels"] == 2
    distances = surface_distances(np.roll(true, 2, 0), true, (1.0, 1.0, 1.0))
    assert scores["paper: ASD voxels"] == distances.asd
    assert scores["paper: ASSD voxels"] == distances.assd


def test_psnr_is_of_all_slices_at_once_and_beyond_white_all_is_equal():
    true = np.full((2, 8, 8), 0.25)
    images = true.copy()
    images[0] += 0.05
    scores = paper_quality(images, true, 0.5)
    # An error of 0.1 in one of two slices.
    assert scores["paper: PSNR dB"] == pytest.approx(-10 * np.log10(0.01 / 2))
    assert paper_quality(images + 0.5, true + 0.5, 0.5)["paper: PSNR dB"] == np.inf
    assert paper_quality(true, true, 0.5)["paper: SSIM"] == pytest.approx(1)


def test_they_are_marked_for_comparison_only():
    assert all(column.name.startswith("paper: ") for column in COLUMNS)
    assert "only" in NOTE
    names = {*paper_distances(np.ones((1, 1, 1), bool), np.ones((1, 1, 1), bool))}
    names |= {*paper_quality(np.zeros((1, 8, 8)), np.zeros((1, 8, 8)), 1.0)}
    assert names == {column.name for column in COLUMNS}
