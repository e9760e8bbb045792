import numpy as np
import pytest
from dmcvr.core.geometry import Grid, Plane
from dmcvr.core.labels import LVC, LVM
from dmcvr.evaluation.view_scores import score_view

GRID = Grid(np.zeros(3), *np.diag([1.0, 1.0, 2.0]), shape=(11, 30, 30))
LENGTHWISE = Plane(np.array([0.0, 15.0, -10.0]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), (41, 30))


@pytest.fixture
def labels():
    labels = np.zeros(GRID.shape, np.uint8)
    labels[:, 8:22, 8:22] = LVM
    labels[:, 10:20, 10:20] = LVC
    return labels


def manual_labels(shift=0):
    """As the reconstruction, but drawn beyond its ends and ``shift`` mm to the side."""
    manual = np.zeros(LENGTHWISE.shape, np.uint8)
    manual[:, 8 + shift : 22 + shift] = LVM
    manual[:, 10 + shift : 20 + shift] = LVC
    return manual


def test_labels_beyond_the_ends_do_not_count(labels):
    scores = score_view("4ch", labels, GRID, manual_labels(), LENGTHWISE)
    assert [(score.view, score.structure) for score in scores] == [("4ch", "LVC"), ("4ch", "LVM")]
    for score in scores:
        assert score.dice > 0.98
        assert score.distance < 0.1


def test_a_shift_lowers_dice_and_is_measured_in_mm(labels):
    (cavity, _) = score_view("4ch", labels, GRID, manual_labels(2), LENGTHWISE)
    assert cavity.dice == pytest.approx(0.8, abs=0.01)
    # 2 mm along the sides, and next to nothing along the ends, which are a third of the outline.
    assert 1.3 < cavity.distance < 1.5


def test_a_structure_without_manual_labels_is_left_out(labels):
    manual = np.where(manual_labels() == LVM, 0, manual_labels())
    assert [score.structure for score in score_view("2ch", labels, GRID, manual, LENGTHWISE)] == ["LVC"]


def test_a_structure_missing_from_the_reconstruction_has_no_distance(labels):
    labels[labels == LVC] = 0
    (cavity, _) = score_view("2ch", labels, GRID, manual_labels(), LENGTHWISE)
    assert cavity.dice == 0
    assert np.isnan(cavity.distance)
