import numpy as np
import pytest
import torch
from dmcvr.alignment.shape_shifts import shape_shifts, trusted
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.model.networks.shift_estimator import centred, moments, weights

SPACING, POSITIONS = (1.5, 1.25), np.arange(7) * 9.0
SHIFTS = np.array([[0, 0], [3, -2], [-1, 4], [0, 0], [-4, -1], [2, 0], [0, -1.0]])


def straight_axis(sd: float):
    """An estimator for hearts whose LV lies straight along the stack: off by where its centre is."""

    def estimate(maps, gaps, present):
        centres = moments(maps, present)[:, :, 5:7] * 15
        return centred(centres, weights(maps, present)), torch.full(present.shape, sd)

    return estimate


def stack(angle: float, shifts: np.ndarray) -> np.ndarray:
    """A straight LV, wider with every slice, and an RV in the direction ``angle`` from x; the first slice is
    empty.
    """
    y, x = np.indices((110, 100)) * np.array([1.25, 1.5])[:, None, None] - 70
    labels = np.zeros((len(shifts), 110, 100), np.uint8)
    for index, (image, (dx, dy)) in enumerate(zip(labels, shifts, strict=True)):
        u = (x - dx) * np.cos(angle) + (y - dy) * np.sin(angle)
        v = (y - dy) * np.cos(angle) - (x - dx) * np.sin(angle)
        radius = 16 + 2 * index
        image[np.hypot(u - radius, v) < radius] = RVC
        image[np.hypot(u, v) < radius] = LVM
        image[np.hypot(u, v) < radius - 8] = LVC
    labels[0] = 0
    return labels


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.5])
@pytest.mark.parametrize("flipped", [False, True])
def test_shifts_are_told_along_the_slices_axes(angle, flipped):
    labels, true = stack(angle, SHIFTS), SHIFTS.copy()
    true[1:] -= true[1:].mean(0)
    if flipped:
        labels, true = labels[::-1], true[::-1]
    found = shape_shifts(straight_axis(0.05), labels[None], POSITIONS, SPACING)
    shown = labels.any((1, 2))
    left = found.mm[shown] - true[shown]
    assert np.abs(left - left.mean(0)).max() < 0.4
    assert found.source == "shape"
    assert (found.mm[~shown] == 0).all()
    assert np.isinf(found.sd[~shown]).all()


def test_frames_are_asked_together():
    quiet, displaced = stack(0.3, SHIFTS * 0), stack(0.3, SHIFTS)
    alone = shape_shifts(straight_axis(0.05), displaced[None], POSITIONS, SPACING)
    both = shape_shifts(straight_axis(0.05), np.stack([quiet, displaced]), POSITIONS, SPACING)
    assert both.mm == pytest.approx(alone.mm / 2, abs=0.3)


def test_a_slice_that_leaves_the_heart_is_as_certain_as_its_other_frames_are():
    """The base moves out of the last slices at end-systole."""
    whole = stack(0.3, SHIFTS)
    shorter = whole.copy()
    shorter[-1] = 0
    found = shape_shifts(straight_axis(0.5), np.stack([whole, shorter, shorter]), POSITIONS, SPACING)
    assert found.sd[1:] == pytest.approx(np.full(6, 0.5))


def test_what_may_be_error_alone_moves_nothing():
    labels = stack(0.3, SHIFTS * 0.1)
    assert (shape_shifts(straight_axis(2.0), labels[None], POSITIONS, SPACING).mm == 0).all()


def test_shifts_are_trusted_as_far_as_they_exceed_the_expected_error():
    mm, weight = np.array([[3.0, 3.0], [-3.0, -3.0]]), np.ones(2)
    assert trusted(mm, np.full(2, 2.9), weight) == pytest.approx(mm)
    assert (trusted(mm, np.full(2, 6.0), weight) == 0).all()
    assert 0 < trusted(mm, np.full(2, 3.5), weight)[0, 0] < 3


def test_too_few_slices_tell_nothing():
    found = shape_shifts(straight_axis(0.05), stack(0.0, SHIFTS)[None, :4], POSITIONS[:4], SPACING)
    assert found.source == "none"
    assert not found.mm.any()
