"""Breath-hold shifts from long-axis images, on phantoms whose shifts are known."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.alignment.lax_shifts import FEW_LINES, NO_GAIN, NO_VIEW, ONE_VIEW, lax_shifts
from dmcvr.alignment.shifts import in_plane
from dmcvr.simulation.phantom import make_phantom, random_config

pytestmark = pytest.mark.slow

SEED = 3001


@pytest.fixture(scope="module")
def displaced():
    """Slices displaced by 2 mm a direction, long-axis views by 1.5 mm; end-diastole and end-systole."""
    return make_phantom(random_config(SEED, shift_sd_mm=2.0, lax_shift_sd_mm=1.5), frames=[0, 4])


@pytest.fixture(scope="module")
def straight():
    return make_phantom(random_config(SEED, shift_sd_mm=0.0, lax_shift_sd_mm=1.5), frames=[0])


def find(phantom, *views):
    return lax_shifts(phantom.sax, [phantom.lax[view] for view in views], (phantom.sax_labels > 0).any(0))


def root_mean_square(shifts):
    """Of shifts (S, 2) in mm about their mean."""
    return ((shifts - shifts.mean(0)) ** 2).sum(1).mean() ** 0.5


def left_over(phantom, shifts):
    """What remains in the slices that show the heart, and what there was, mm."""
    shown = (phantom.sax_labels > 0).any((0, 2, 3))
    true = in_plane(phantom.shifts, phantom.sax)
    return root_mean_square((true - shifts.mm)[shown]), root_mean_square(true[shown])


def test_three_views_tell_the_shifts(displaced):
    shifts, note = find(displaced, "2ch", "3ch", "4ch")
    left, before = left_over(displaced, shifts)
    assert note == ""
    assert shifts.source == "lax"
    assert before > 2.0
    assert left < 0.6


def test_two_views_do_as_well_within_their_limits(displaced):
    shifts, _ = find(displaced, "2ch", "4ch")
    assert left_over(displaced, shifts)[0] < 0.8


def test_one_view_is_not_enough_and_says_so(displaced):
    shifts, note = find(displaced, "4ch")
    assert note == ONE_VIEW
    assert shifts.source == "none"
    assert shifts.largest == 0


def test_two_images_of_one_plane_are_not_enough_either(displaced):
    assert find(displaced, "4ch", "4ch")[1] == ONE_VIEW


def test_images_along_the_slices_tell_nothing(displaced):
    heart = (displaced.sax_labels > 0).any(0)
    assert lax_shifts(displaced.sax, [displaced.sax.select(slices=[4])], heart)[1] == NO_VIEW


def test_a_stack_without_shifts_stays_as_it_is(straight):
    shifts, _ = find(straight, "2ch", "3ch", "4ch")
    assert shifts.largest < 0.3


@pytest.mark.parametrize("seed", [0, 6, 7])
def test_images_of_something_else_move_nothing(displaced, seed):
    noise = np.random.default_rng(seed)
    foreign = [
        replace(displaced.lax[view], frames=noise.permuted(displaced.lax[view].frames, axis=2))
        for view in ("2ch", "4ch")
    ]
    shifts, note = lax_shifts(displaced.sax, foreign, (displaced.sax_labels > 0).any(0))
    assert note == NO_GAIN
    assert shifts.largest == 0


def test_too_few_slices_of_the_heart(displaced):
    heart = (displaced.sax_labels > 0).any(0)
    heart[:] = False
    heart[0, 100:140, 100:140] = True
    assert lax_shifts(displaced.sax, list(displaced.lax.values()), heart)[1] == FEW_LINES


def test_slices_at_the_ends_that_the_labels_miss_are_moved_as_well(displaced):
    heart = (displaced.sax_labels > 0).any(0)
    shown = np.flatnonzero(heart.any((1, 2)))
    heart[shown[[0, -1]]] = False
    shifts, _ = lax_shifts(displaced.sax, list(displaced.lax.values()), heart)
    assert left_over(displaced, shifts)[0] < 0.7


def test_the_mean_shift_is_none_and_errors_are_told(displaced):
    shifts, _ = find(displaced, "2ch", "3ch", "4ch")
    crossed = ~np.isnan(shifts.sd)
    assert shifts.mm[crossed].mean(0) == pytest.approx([0, 0], abs=1e-9)
    assert (shifts.sd[crossed] > 0.05).all()
    assert (shifts.sd[crossed] < 2).all()
    true = in_plane(displaced.shifts, displaced.sax)[crossed]
    left = true - true.mean(0) - shifts.mm[crossed]
    assert np.std(left / shifts.sd[crossed, None]) < 2
