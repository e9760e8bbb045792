import numpy as np
from dmcvr.anatomy.pieces import largest_piece, one_piece
from dmcvr.core.labels import LVC, LVM, RVC


def heart() -> np.ndarray:
    labels = np.zeros((12, 12, 12), np.uint8)
    labels[2:8, 2:8, 2:8] = LVM
    labels[3:7, 3:7, 3:7] = LVC
    labels[2:8, 2:8, 8:10] = RVC
    return labels


def test_specks_of_every_structure_go_and_the_heart_stays():
    labels = heart()
    for place, label in (((10, 10, 10), LVC), ((0, 0, 0), LVM), ((10, 0, 0), RVC)):
        labels[place] = label
    assert np.array_equal(one_piece(labels), heart())


def test_a_speck_within_the_ventricle_becomes_its_wall():
    labels = heart()
    labels[2, 4, 4] = LVC  # joined to the cavity by a face
    labels[2, 2, 2] = 0
    expected = labels.copy()
    labels[7, 7, 4] = RVC  # a speck of the RV at the edge of the wall
    expected[7, 7, 4] = 0
    assert np.array_equal(one_piece(labels), expected)
    labels = heart()
    labels[5, 5, 5] = RVC
    filled = one_piece(labels)
    assert filled[5, 5, 5] == LVM
    assert (filled != heart()).sum() == 1


def test_no_heart_has_no_pieces():
    assert not one_piece(np.zeros((3, 4, 5), np.uint8)).any()


def test_what_touches_by_a_corner_may_hang_together():
    mask = np.zeros((3, 9, 9), bool)
    mask[0, 2, 2] = mask[1, 3, 3] = mask[2, 4, 4] = True  # touching at corners only
    mask[0, 7:9, 7] = True
    np.testing.assert_array_equal(
        np.argwhere(largest_piece(mask, np.ones((3, 3, 3), bool))), [[0, 2, 2], [1, 3, 3], [2, 4, 4]]
    )
