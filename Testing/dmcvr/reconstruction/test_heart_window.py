"""Finding the heart, and the window about it."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Plane
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.reconstruction.heart_window import Window, find_heart, heart_part, window_about


def planes_of(stack):
    return [stack.plane(index) for index in range(len(stack.origins))]


@pytest.fixture(scope="module")
def found(model, phantom):
    return find_heart(model, phantom.sax.frames[0], planes_of(phantom.sax))


def true_centre(phantom):
    s, row, column = np.argwhere(phantom.sax_labels[0] > 0).mean(0)
    return phantom.sax.origins[round(s)] + row * phantom.sax.step_y + column * phantom.sax.step_x


def aside(window, point):
    """mm from the window's middle to a point, within the slices."""
    offset = window.planes[0].centre - point
    return np.linalg.norm(offset - (offset @ window.planes[0].normal) * window.planes[0].normal)


def test_the_window_is_a_square_of_the_model_about_the_heart(model, phantom, found):
    assert len(found.planes) == len(phantom.sax.origins)
    for plane, native in zip(found.planes, planes_of(phantom.sax), strict=True):
        assert plane.shape == (model.size, model.size)
        np.testing.assert_allclose(plane.spacing, model.preset.spacing_mm)
        np.testing.assert_allclose(plane.normal, native.normal, atol=1e-12)
        assert (plane.origin - native.origin) @ native.normal == pytest.approx(0, abs=1e-9)
        np.testing.assert_allclose(
            plane.origin - native.origin, found.planes[0].origin - phantom.sax.origins[0]
        )
    assert aside(found, true_centre(phantom)) < 2  # of 192


def test_the_window_follows_a_heart_that_lies_elsewhere(model, phantom, found):
    moved = np.roll(phantom.sax.frames[0], (6, -8), axis=(1, 2))
    window = find_heart(model, moved, planes_of(phantom.sax))
    expected = found.planes[0].centre + 6 * phantom.sax.step_y - 8 * phantom.sax.step_x
    assert aside(window, expected) < 1


def brain(shape):
    """A bright ball with a brighter rim and two dark ventricles."""
    z, y, x = (np.linspace(-1.2, 1.2, size) for size in shape)
    r = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    image = np.where(r < 1, 400.0, 0.0) + np.where(np.abs(r - 0.95) < 0.05, 500.0, 0.0)
    image[(np.abs(np.abs(x) - 0.12) < 0.06) & (np.abs(y)[:, None] < 0.3) & (r < 0.6)] = 150
    return image + np.random.default_rng(0).normal(0, 5, shape) ** 2 / 5


@pytest.mark.parametrize("kind", ["noise", "constant", "black", "brain"])
def test_an_image_without_a_heart_is_refused(model, phantom, kind):
    shape = phantom.sax.frames.shape[1:]
    frame = {
        "noise": np.random.default_rng(0).normal(300, 80, shape),
        "constant": np.full(shape, 200.0),
        "black": np.zeros(shape),
        "brain": brain(shape),
    }[kind].astype(np.float32)
    with pytest.raises(InputError, match="No heart"):
        find_heart(model, frame, planes_of(phantom.sax))


def test_the_window_about_given_labels_is_centred_on_them(model, phantom):
    stack, native = phantom.sax, planes_of(phantom.sax)
    mask = np.zeros(stack.frames.shape[1:], bool)
    mask[3:6, 40:51, 70:81] = True
    window = window_about(model, stack.frames[0], native, native, mask)
    middle = native[0].origin + 45 * stack.step_y + 75 * stack.step_x
    np.testing.assert_allclose(window.planes[0].centre, middle, atol=1e-6)
    seen = stack.frames[0][:, 5:85, 35:115]
    np.testing.assert_allclose(window.scale, np.percentile(seen[seen > 0], 99.5), rtol=1e-6)


def test_window_images_are_the_slices_scaled_and_clipped():
    x, y = np.array([2.0, 0, 0]), np.array([0, 2.0, 0])
    native = Plane(np.zeros(3), x, y, (8, 8))
    inside = replace(native, origin=2 * x + 1 * y, shape=(4, 4))
    frame = np.arange(64, dtype=np.float32).reshape(1, 8, 8) - 12
    images = Window((inside,), 20.0).images(frame, [native])
    np.testing.assert_allclose(images[0], np.clip(frame[0, 1:5, 2:6] / 20, 0, 1))
    assert images.dtype == np.float32


def test_the_heart_is_the_part_that_is_most_a_left_ventricle():
    labels = np.zeros((2, 40, 40), np.uint8)
    labels[:, 0:3, :] = LVM  # larger than the heart, but a chest wall
    labels[:, 30:40, 30:40] = LVC  # a vessel
    labels[:, 10:20, 10:20] = LVM
    labels[:, 13:17, 13:17] = LVC
    labels[:, 12:18, 20:24] = RVC
    heart = heart_part(labels)
    assert heart.sum() == 2 * (100 + 24)
    assert heart[:, 10:20, 10:20].all()


def test_without_a_cavity_or_a_wall_there_is_no_heart():
    for label in (LVC, LVM, RVC):
        assert not heart_part(np.full((2, 4, 4), label, np.uint8)).any()
