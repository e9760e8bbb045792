import numpy as np
import pytest
from dmcvr.evaluation.spectra import power_spectrum
from scipy import ndimage


def test_a_wave_has_its_power_at_its_own_frequency_whatever_its_direction_and_the_pixels():
    spacing = 1.5, 2.0
    y, x = np.mgrid[:90, :120] * np.array([2.0, 1.5])[:, None, None]
    for direction in (0.0, 0.6, 1.5):
        wave = np.sin(2 * np.pi * 0.1 * (np.cos(direction) * x + np.sin(direction) * y))
        frequency, power = power_spectrum(wave[None], spacing)
        assert frequency[power.argmax()] == pytest.approx(0.1, abs=0.01)
        assert power.max() > 100 * np.median(power)


def test_frequencies_end_at_the_limit_of_the_larger_pixels():
    frequency, power = power_spectrum(np.random.default_rng(0).normal(size=(2, 40, 40)), (1.0, 2.0), bins=10)
    np.testing.assert_allclose(frequency, (np.arange(10) + 0.5) * 0.025)
    assert power.shape == (10,)


def test_white_noise_has_its_variance_at_every_frequency_and_blur_takes_the_fine_ones():
    noise = np.random.default_rng(0).normal(scale=0.5, size=(30, 64, 64))
    _, power = power_spectrum(noise, (1.0, 1.0), bins=8)
    np.testing.assert_allclose(power, 0.25, rtol=0.15)
    _, blurred = power_spectrum(ndimage.gaussian_filter(noise, (0, 1, 1)), (1.0, 1.0), bins=8)
    assert blurred[-1] < 0.01 * power[-1]
    assert blurred[0] > 0.9 * power[0]


def test_brightness_is_left_out():
    _, power = power_spectrum(np.full((1, 32, 32), 7.0), (1.0, 1.0))
    np.testing.assert_allclose(power, 0, atol=1e-12)
