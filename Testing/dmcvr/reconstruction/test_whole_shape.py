import numpy as np
import pytest
from dmcvr.anatomy.heart_frame import REACH_MM
from dmcvr.anatomy.signed_distances import labels_from_distances
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.reconstruction.whole_shape import WholeShape, whole_shape
from scipy import ndimage

SPACING, GAP = (1.5, 1.25), 9.0
POSITIONS = np.arange(6) * GAP


def line(given):
    """The straight line, as a network that has not learned yet leaves it."""
    return given[:, :3] * REACH_MM


def stack(empty_ends: bool = False) -> np.ndarray:
    """(6, H, W) labels of a heart that is wider toward the last slice."""
    y, x = np.indices((110, 100)) * np.array([1.25, 1.5])[:, None, None] - 70
    labels = np.zeros((6, 110, 100), np.uint8)
    for index, image in enumerate(labels):
        radius = 16 + 2 * index
        image[np.hypot(x - radius, y) < radius] = RVC
        image[np.hypot(x, y) < radius] = LVM
        image[np.hypot(x, y) < radius - 8] = LVC
    if empty_ends:
        labels[[0, -1]] = 0
    return labels


def dense(heart: WholeShape, step: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    low, high = heart.extent
    places = np.arange(low, high + step, step)
    return places, labels_from_distances(heart.at(places))


def overlap(found: np.ndarray, truth: np.ndarray, label: int) -> float:
    a, b = found == label, truth == label
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("flipped", [False, True])
def test_slices_keep_their_outlines(flipped):
    labels = stack()[::-1] if flipped else stack()
    heart = whole_shape(line, labels, POSITIONS, SPACING)
    inner = slice(1, -1)
    found = labels_from_distances(heart.at(POSITIONS[inner]))
    assert heart.frame.flipped == flipped
    assert min(overlap(found, labels[inner], label) for label in (LVC, LVM, RVC)) > 0.95


@pytest.mark.parametrize("flipped", [False, True])
def test_muscle_closes_the_apex_within_a_gap_and_the_base_ends_within_half(flipped):
    labels = stack()[::-1] if flipped else stack()
    heart = whole_shape(line, labels, POSITIONS, SPACING)
    places, found = dense(heart)
    if flipped:
        places, found = POSITIONS[-1] - places[::-1], found[::-1]
    shown = places[(found > 0).any((1, 2))]
    cavity = places[(found == LVC).any((1, 2))]
    assert -GAP < shown[0] < -GAP / 2
    assert cavity[0] - shown[0] >= 2
    assert shown[-1] <= POSITIONS[-1] + GAP / 2
    apical = (found == LVC) & (places < POSITIONS[3])[:, None, None]
    around = ndimage.binary_dilation(apical) & (found == 0)
    assert not around.any()


def test_nothing_reaches_a_slice_that_is_empty():
    labels = stack(empty_ends=True)
    places, found = dense(whole_shape(line, labels, POSITIONS, SPACING))
    shown = places[(found > 0).any((1, 2))]
    assert shown[0] >= POSITIONS[0]
    assert shown[-1] <= POSITIONS[-1]


@pytest.mark.parametrize("empty_ends", [False, True])
def test_volumes_are_those_of_disc_summation(empty_ends):
    labels = stack(empty_ends)
    heart = whole_shape(line, labels, POSITIONS, SPACING)
    low = POSITIONS[0] - (0 if empty_ends else GAP / 2)
    places = np.arange(low + 0.25, POSITIONS[-1] + GAP, 0.5)
    found = labels_from_distances(heart.at(places))
    for label in (LVC, LVM, RVC):
        assert (found == label).sum() * 0.5 == pytest.approx((labels == label).sum() * GAP, rel=0.03)


def test_displaced_slices_are_put_back():
    shifts = np.array([[0, 0], [4.5, 0], [0, -5], [-3, 2.5], [0, 0], [1.5, 0]])
    moved = np.stack(
        [
            np.roll(image, (round(y / 1.25), round(x / 1.5)), (0, 1))
            for image, (x, y) in zip(stack(), shifts, strict=True)
        ]
    )
    there, back = (
        labels_from_distances(whole_shape(line, labels, POSITIONS, SPACING, mm).at(POSITIONS))
        for labels, mm in ((stack(), None), (moved, shifts))
    )
    assert min(overlap(back, there, label) for label in (LVC, LVM, RVC)) > 0.97


def test_each_structure_is_one_piece():
    labels = stack()
    labels[2, 5:9, 5:9] = RVC
    labels[3, 100:104, 90:94] = LVC
    _, found = dense(whole_shape(line, labels, POSITIONS, SPACING))
    for mask in ((found == LVC) | (found == LVM), found == RVC):
        assert ndimage.label(mask)[1] == 1


def test_places_beyond_the_lattice_are_outside():
    heart = whole_shape(line, stack(), POSITIONS, SPACING)
    assert (heart.at(np.array([-500.0, 500.0])) == -REACH_MM).all()


def test_no_heart_is_made_of_too_little():
    labels = stack()
    assert whole_shape(line, labels * 0, POSITIONS, SPACING) is None
    labels[2:] = 0
    assert whole_shape(line, labels, POSITIONS, SPACING) is None
