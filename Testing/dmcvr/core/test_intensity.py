"""Intensity scales."""

import numpy as np
import pytest
from dmcvr.core.intensity import PERCENTILE, WINDOW_MM, field_scale, stack_scale


def test_the_field_scale_is_the_percentile_of_what_is_not_black():
    image = np.zeros((100, 100), np.float32)
    image[:10] = np.arange(1, 1001).reshape(10, 100)
    assert field_scale(image) == pytest.approx(np.percentile(np.arange(1, 1001), PERCENTILE))
    assert field_scale(image) == pytest.approx(995, abs=1)


def test_a_black_image_has_a_harmless_scale():
    assert field_scale(np.zeros((8, 8), np.float32)) == 1.0


def test_a_few_hot_pixels_do_not_set_the_scale():
    image = np.full((200, 200), 50.0)
    image[0, :20] = 1e6
    assert field_scale(image) == 50


def test_the_stack_scale_looks_only_at_the_hearts_window():
    spacing = 2.0
    images = np.full((3, 300, 280), 40.0)
    half = int(WINDOW_MM / 2 / spacing)
    row, column = 120, 150
    images[:, row - half : row + half, column - half : column + half] = 200
    outside = images.copy()
    outside[images == 40] = 5000
    assert stack_scale(images, (row, column), (spacing, spacing)) == 200
    assert stack_scale(outside, (row, column), (spacing, spacing)) == 200
    assert stack_scale(outside, (row + 5, column), (spacing, spacing)) == 5000


@pytest.mark.parametrize("centre", [(0, 0), (31, 31), (3, 28)])
def test_a_window_reaching_beyond_the_image_is_cut(centre):
    images = np.random.default_rng(0).uniform(1, 2, (2, 32, 32))
    assert 1.9 < stack_scale(images, centre, (1.5, 1.5)) <= 2


def test_the_scale_follows_the_intensities():
    images = np.random.default_rng(0).gamma(2, 50, (4, 64, 64))
    one = stack_scale(images, (32, 32), (3.0, 3.0))
    assert stack_scale(7 * images, (32, 32), (3.0, 3.0)) == pytest.approx(7 * one)


def test_of_oblong_pixels_the_window_is_as_high_as_wide():
    images = np.full((300, 280), 40.0)
    row, column = 120, 150
    images[row - 32 : row + 32, column - 64 : column + 64] = 200  # 192 mm of 3 mm and of 1.5 mm
    spacing = (1.5, 3.0)
    assert stack_scale(images, (row, column), spacing) == 200
    outside = np.where(images == 200, 200.0, 5000.0)
    assert stack_scale(outside, (row, column), spacing) == 200
