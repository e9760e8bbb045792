"""Fourier terms over a cycle."""

import numpy as np
import pytest
from dmcvr.reconstruction.harmonics import TERMS, fourier_basis, smooth_over_cycle

T = np.arange(25) / 25


def test_a_slow_wave_passes_and_a_fast_one_does_not():
    slow, fast = np.cos(2 * np.pi * T), np.cos(2 * np.pi * 10 * T)
    smooth = smooth_over_cycle(5 + slow + fast)
    assert smooth == pytest.approx(5 + slow, abs=0.1)


def test_the_mean_is_kept():
    values = np.random.default_rng(0).normal(3, 1, (25, 4, 5))
    assert smooth_over_cycle(values).mean(0) == pytest.approx(values.mean(0))


def test_the_cycle_closes():
    values = np.random.default_rng(0).normal(size=25)
    assert np.roll(smooth_over_cycle(values), 6) == pytest.approx(smooth_over_cycle(np.roll(values, 6)))


def test_frames_without_a_value_follow_the_course():
    course = (1 - np.cos(2 * np.pi * T)) / 2
    known = course > 0.3
    values = np.where(known, 2 + 7 * course, -100)
    assert smooth_over_cycle(values, known, course) == pytest.approx(2 + 7 * course, abs=0.2)


def test_few_frames_have_few_terms():
    assert fourier_basis(4).shape == (4, 3)
    assert fourier_basis(40).shape == (40, 2 * TERMS + 1)
    assert smooth_over_cycle(np.array([1.0, 2.0])) == pytest.approx([1.5, 1.5])
