import numpy as np
import pytest
from dmcvr.anatomy.heart_frame import PIXEL_MM, heart_frame
from dmcvr.core.labels import LVC, LVM, RVC

SPACING = (1.5, 1.5)


def stack(angle: float = 0.0, count: int = 6) -> np.ndarray:
    """A cone of an LV, wider with every slice, and an RV beside it in the direction ``angle`` from x."""
    y, x = np.indices((96, 96)) * 1.5 - 71.25
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    labels = np.zeros((count, 96, 96), np.uint8)
    for index, image in enumerate(labels):
        radius = 10 + 3 * index
        image[np.hypot(u - radius, v) < radius] = RVC
        image[np.hypot(u, v) < radius] = LVM
        image[np.hypot(u, v) < radius - 7] = LVC
    return labels


@pytest.mark.parametrize("degrees", [0, 30, 135, -90])
def test_x_points_to_the_rv(degrees):
    angle = np.radians(degrees)
    frame = heart_frame(stack(angle), np.arange(6) * 10.0, SPACING)
    assert frame.toward_rv == pytest.approx([np.cos(angle), np.sin(angle)], abs=0.03)
    assert frame.extent == pytest.approx([75, 50], abs=3)


def test_the_apex_is_the_narrow_end():
    labels, positions = stack(), np.arange(6) * 10.0
    frame, turned = (heart_frame(item, positions, SPACING) for item in (labels, labels[::-1]))
    assert not frame.flipped
    assert turned.flipped
    assert np.array_equal(turned.order(labels[::-1]), labels)
    assert (np.diff(turned.order(turned.heights(positions))) == 10).all()
    assert frame.is_certain
    assert turned.reversed().flipped == frame.flipped


def test_a_heart_as_wide_at_both_ends_leaves_doubt():
    labels = stack()
    frame = heart_frame(np.concatenate([labels, labels[::-1]]), np.arange(12) * 8.0, SPACING)
    assert not frame.is_certain
    assert heart_frame(labels[:1], np.zeros(1), SPACING).narrowing == 0


def test_the_middle_of_the_heart_is_the_origin():
    frame = heart_frame(stack(0.5), np.arange(6) * 10.0, SPACING)
    lattice = frame.lattice((8, 10))
    assert lattice.mean((0, 1)) == pytest.approx(frame.centre)
    local = frame.inverse(lattice)
    assert local[0, 1] - local[0, 0] == pytest.approx([PIXEL_MM, 0])
    assert local[1, 0] - local[0, 0] == pytest.approx([0, PIXEL_MM])


def test_without_lv_there_is_no_frame_and_without_rv_one_that_is_not_turned():
    labels = stack()
    assert heart_frame(np.where(labels == RVC, RVC, 0), np.arange(6) * 10.0, SPACING) is None
    frame = heart_frame(np.where(labels == RVC, 0, labels), np.arange(6) * 10.0, SPACING)
    assert frame.toward_rv.tolist() == [1, 0]
