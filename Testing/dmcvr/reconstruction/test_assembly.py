"""What surrounds the generated images: maps carried between grids, slices put back, labels fused."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.anatomy.signed_distances import labels_from_distances, nested_distances
from dmcvr.core.geometry import Plane
from dmcvr.core.labels import LVC
from dmcvr.model.morphology import REACH_MM
from dmcvr.reconstruction.assembly import fuse, paste_window, resample_field
from dmcvr.reconstruction.heart_window import Window


def test_a_field_is_in_the_pixels_of_its_plane():
    """The slice has pixels of 1 by 0.5 mm, the window of 2 by 2."""
    native = Plane(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 0.5, 0]), (64, 32))
    window = Plane(np.array([4.0, 6.0, 0]), np.array([2.0, 0, 0]), np.array([0, 2.0, 0]), (10, 12))
    field = np.stack([np.full((64, 32), 8.0), np.full((64, 32), 3.0)])
    expected = np.stack([np.full((10, 12), 2.0), np.full((10, 12), 1.5)])
    np.testing.assert_allclose(resample_field(field, native, window), expected)


class TestPutBack:
    """A window of 20 mm in a slice of 64 mm, both with pixels of 1 mm."""

    native = Plane(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), (64, 64))
    window = Window((replace(native, origin=np.array([22.0, 12.0, 0]), shape=(20, 20)),), 200.0)
    inside = (slice(12, 32), slice(22, 42))

    def put(self, feather=4.0, level=0.5, background=80.0, clipped=None):
        background = np.full((2, 64, 64), background, np.float32)
        background += np.random.default_rng(0).uniform(0, 5, background.shape).astype(np.float32)
        clipped = np.zeros_like(background) if clipped is None else clipped
        images = np.full((2, 20, 20), level, np.float32)
        return paste_window(images, self.window, background, clipped, self.native, feather), background

    def test_outside_the_window_the_interpolated_intensities_stand(self):
        out, background = self.put()
        outside = np.ones((64, 64), bool)
        outside[self.inside] = False
        np.testing.assert_array_equal(out[:, outside], background[:, outside])

    def test_deep_inside_it_is_the_generated_image_alone(self):
        out, _ = self.put()
        np.testing.assert_allclose(out[:, 17:27, 27:37], 100.0, rtol=1e-5)

    def test_toward_the_border_the_two_blend(self):
        out, _ = self.put(background=0.0, level=1.0)
        profile = out[0, 22, 22:32]
        assert profile[0] < 10
        assert (np.diff(profile[:4]) > 0).all()
        np.testing.assert_allclose(profile[5:], 200.0, rtol=1e-5)

    def test_brighter_than_the_model_sees_comes_back(self):
        clipped = np.zeros((2, 64, 64), np.float32)
        clipped[:, 20, 30] = 55
        out, _ = self.put(level=1.0, clipped=clipped)
        np.testing.assert_allclose(out[:, 20, 30], 255.0, rtol=1e-5)

    def test_nothing_becomes_negative_where_nothing_was(self):
        images = np.zeros((1, 20, 20), np.float32)
        images[:, ::2] = 1  # a cubic spline through these overshoots between pixels
        finer = replace(self.native, step_x=self.native.step_x / 2, step_y=self.native.step_y / 2)
        zero = np.zeros((1, 64, 64), np.float32)
        assert paste_window(images, self.window, zero, zero, finer).min() >= 0


class TestFuse:
    """A cavity of 6 pixels radius by the code, and one of 10 pixels in the image."""

    def maps(self, radius):
        rows, columns = np.indices((40, 40)) - 20
        labels = np.where(rows**2 + columns**2 < radius**2, LVC, 0).astype(np.uint8)
        return nested_distances(labels, (1, 1), REACH_MM)

    def area(self, maps):
        return np.sqrt((labels_from_distances(maps) == LVC).sum() / np.pi)

    def test_fused_lies_half_way(self):
        assert self.area(fuse(self.maps(6), self.maps(10), "fused")) == pytest.approx(8, abs=0.5)

    def test_image_takes_the_image(self):
        np.testing.assert_array_equal(fuse(self.maps(6), self.maps(10), "image"), self.maps(10))

    @pytest.mark.parametrize("rule", ["fused", "image"])
    def test_what_has_ended_by_the_code_stays_ended(self, rule):
        assert not labels_from_distances(fuse(self.maps(0), self.maps(10), rule)).any()

    @pytest.mark.parametrize("rule", ["fused", "image"])
    def test_what_the_image_does_not_show_is_left_to_the_code(self, rule):
        np.testing.assert_array_equal(fuse(self.maps(6), self.maps(0), rule), self.maps(6))

    def test_what_the_image_shows_elsewhere_does_not_delete_it(self):
        elsewhere = np.roll(self.maps(6), 14, axis=-1)
        np.testing.assert_array_equal(fuse(self.maps(6), elsewhere, "fused"), self.maps(6))
