from math import isnan

import numpy as np
import pytest
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.scores import dice_by_structure
from dmcvr.evaluation.shift import dice_after_shift
from scipy import ndimage


def moved(labels: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return ndimage.shift(labels, (rows, columns), order=0)


@pytest.mark.parametrize("shift", [(0, 0), (2, -1), (-3, 0), (1, 2)])
def test_a_shifted_copy_is_recovered(prism, shift):
    true = prism().labels[0]
    scores, found = dice_after_shift(moved(true, *shift), true, (2.0, 2.0))
    assert scores == {"all": 1.0, "LVC": 1.0, "LVM": 1.0, "RVC": 1.0}
    assert found == (-shift[0], -shift[1])


def test_the_search_ends_at_its_reach_in_mm(prism):
    true = prism().labels[0]
    for spacing, most in (((2.0, 2.0), 3), ((2.0, 1.0), 5)):
        scores, found = dice_after_shift(moved(true, 5, 0), true, spacing)
        assert found == (-most, 0)
        assert (scores["LVC"] == 1) == (most == 5)
    # 3 and 3 pixels are 8.5 mm away, though neither is beyond 6 mm.
    _, found = dice_after_shift(moved(true, 3, 3), true, (2.0, 2.0))
    assert np.hypot(*found) * 2 <= 6


def test_it_equals_a_search_by_moving_the_image():
    random = np.random.default_rng(5)
    predicted, true = (
        np.pad(ndimage.zoom(random.integers(0, 4, (5, 5)), 4, order=0), 4).astype(np.uint8) for _ in range(2)
    )
    best = max(
        np.mean(
            [
                value
                for name, value in dice_by_structure(moved(predicted, r, c), true).items()
                if name != "all"
            ]
        )
        for r in range(-3, 4)
        for c in range(-3, 4)
        if np.hypot(r, c) <= 3
    )
    scores, (row, column) = dice_after_shift(predicted, true, (1.0, 1.0), reach_mm=3.0)
    assert np.mean([scores[name] for name in ("LVC", "LVM", "RVC")]) == pytest.approx(best)
    assert scores == pytest.approx(dice_by_structure(moved(predicted, row, column), true))


def test_what_leaves_the_image_still_counts():
    true, predicted = np.zeros((10, 10), np.uint8), np.zeros((10, 10), np.uint8)
    true[4:6, 4:6], predicted[0:2, 0:8] = LVC, LVC
    scores, _ = dice_after_shift(predicted, true, (1.0, 1.0))
    assert scores["LVC"] == pytest.approx(2 * 4 / (4 + 16))


def test_empty_structures():
    labels = np.zeros((10, 10), np.uint8)
    scores, shift = dice_after_shift(labels, labels, (1.0, 1.0))
    assert shift == (0, 0)
    assert all(isnan(value) for value in scores.values())
    one = labels.copy()
    one[3:6, 3:6] = LVM
    scores, _ = dice_after_shift(
        moved(one, 1, 1), np.where(one, one, RVC * (np.indices(one.shape)[0] > 8)), (1, 1)
    )
    assert (scores["LVM"], scores["RVC"]) == (1.0, 0.0)
    assert isnan(scores["LVC"])
