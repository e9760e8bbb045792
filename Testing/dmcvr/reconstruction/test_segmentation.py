import numpy as np
import pytest
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.metrics import dice
from dmcvr.reconstruction.heart_window import find_heart
from dmcvr.reconstruction.segmentation import (
    clean_labels,
    mean_field_along_stack,
    segment_frames,
)


def planes_of(stack):
    return [stack.plane(index) for index in range(len(stack.origins))]


@pytest.fixture(scope="module")
def found(model, phantom):
    return find_heart(model, phantom.sax.frames[0], planes_of(phantom.sax))


def test_the_segmenter_finds_the_phantoms_heart(model, phantom, found):
    told = []
    labels = segment_frames(model, phantom.sax.frames[:1], planes_of(phantom.sax), found, done=told.append)[0]
    assert (labels.shape, labels.dtype) == (phantom.sax.frames.shape[1:], np.uint8)
    assert sum(told) == len(labels)
    for label, least in {LVC: 0.975, LVM: 0.933, RVC: 0.928}.items():  # LVM: .938
        assert dice(labels == label, phantom.sax_labels[0] == label) > least


@pytest.mark.slow
def test_labels_beyond_the_window_are_background(model, phantom, found):
    labels = segment_frames(model, phantom.sax.frames[:1], planes_of(phantom.sax), found)[0]
    points = phantom.sax.plane(0).points() - found.planes[0].centre
    half = model.size * model.preset.spacing_mm / 2 + 1
    outside = np.abs(points @ (found.planes[0].step_x / found.planes[0].spacing[0])) > half
    assert outside.any()
    assert not labels[:, outside].any()


def test_tidy_keeps_the_largest_part_and_fills_both_ventricles():
    labels = np.zeros((3, 20, 20), np.uint8)
    labels[:, 4:12, 4:12] = LVM
    labels[:, 6:10, 6:10] = LVC
    labels[1, 7, 7] = 0  # a papillary muscle taken for background
    labels[:, 4:12, 13:16] = RVC
    labels[2, 6, 14] = 0  # a trabecula
    wanted = labels.copy()
    wanted[1, 7, 7] = LVC
    wanted[2, 6, 14] = RVC
    labels[0, 18, 18] = LVC
    labels[2, 0:2, 0:2] = RVC
    np.testing.assert_array_equal(clean_labels(labels), wanted)


def test_tidy_leaves_nothing_as_nothing():
    assert not clean_labels(np.zeros((2, 5, 5), np.uint8)).any()


def two_cavities(*doubts: float) -> np.ndarray:
    """(S, 4, 40, 60) probabilities of slices with the LV on the left and the RV on the right, of which each
    takes the RV for the LV with the probability given.
    """
    out = np.zeros((len(doubts), 4, 40, 60), np.float32)
    out[:, 0] = 1
    for index, doubt in enumerate(doubts):
        out[index, :, 12:28, 8:24] = np.array([0, 1, 0, 0])[:, None, None]
        out[index, :, 12:28, 34:50] = np.array([0, doubt, 0, 1 - doubt])[:, None, None]
    return out


def test_slices_set_right_one_that_takes_one_ventricle_for_the_other():
    doubtful = two_cavities(0.05, 0.8, 0.05)
    assert (doubtful[1].argmax(0) == LVC).sum() == 2 * 16 * 16
    settled = mean_field_along_stack(doubtful, np.array([0.0, 10, 20]), 1.5).argmax(1)
    # At the rim what the neighbours say is blurred.
    assert (settled[1, 15:25, 37:47] == RVC).all()
    left = settled[..., :30], two_cavities(0, 0, 0).argmax(1)[..., :30]
    np.testing.assert_array_equal(*left)


def test_a_slice_that_is_sure_of_itself_stands():
    sure = two_cavities(0.05, 0.9999, 0.05)
    settled = mean_field_along_stack(sure, np.array([0.0, 10, 20]), 1.5).argmax(1)
    assert (settled[1, 12:28, 34:50] == LVC).all()


def test_slices_far_apart_say_less_of_the_place_than_near_ones():
    """What only the neighbours see is believed where they see it, and with the distance less sharply."""
    maps = two_cavities(0, 0, 0)
    maps[1] = 0.25
    near, far = (mean_field_along_stack(maps, np.arange(3) * gap, 1.5)[1, RVC] for gap in (5.0, 30.0))
    assert near[20, 42] > 0.7
    assert near[20, 42] > far[20, 42]
    assert far[20, 56] > near[20, 56]


def test_one_slice_alone_keeps_its_own_judgement():
    alone = two_cavities(0.4)
    np.testing.assert_array_equal(mean_field_along_stack(alone, np.zeros(1), 1.5), alone)
