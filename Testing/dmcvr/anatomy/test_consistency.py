"""What labels of a heart should hold."""

import numpy as np
from dmcvr.anatomy.consistency import missing_inner_slices
from dmcvr.anatomy.distance_interpolation import End, interpolate_distances
from dmcvr.anatomy.signed_distances import WHOLE_MM, nested_distances
from dmcvr.core.labels import LVC, LVM, RVC

SPACING = (1.5, 1.5)


def heart(lv_radius: float, size: int = 64, wall: float = 5.0, rv: bool = True) -> np.ndarray:
    """Labels (size, size): an LV disc of ``lv_radius`` pixels with a ``wall``, an RV disc half behind it."""
    y, x = np.mgrid[:size, :size] - size // 2
    labels = np.zeros((size, size), np.uint8)
    if rv:
        labels[np.hypot(y, x + 18) < 10] = RVC
    labels[np.hypot(y, x) < lv_radius] = LVM
    labels[np.hypot(y, x) < lv_radius - wall] = LVC
    return labels


def areas(distances: np.ndarray, channel: int) -> np.ndarray:
    return (distances[:, channel] > 0).sum((-2, -1))


def test_a_structure_missed_in_an_inner_slice_is_absent_there_and_reported():
    slices = np.stack([heart(20), heart(18, rv=False), heart(16)])
    assert missing_inner_slices(slices) == [(RVC, 1)]
    assert missing_inner_slices(slices[:2]) == []
    distances = nested_distances(slices, SPACING, WHOLE_MM)
    found = areas(interpolate_distances(distances, np.arange(3) * 10.0, np.arange(0, 21, 2.5), End.LAST), 2)
    assert (found[[2, 3, 4, 5, 6]] == 0).all()
    assert (found[[0, 1, 7, 8]] > 0).all()
