"""Lines where slices cross long-axis images."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.alignment.crossings import REACH_MM, STEP_MM, Moments, crossing_views, find_crossings
from dmcvr.alignment.shifts import SliceShifts
from dmcvr.simulation.phantom import PhantomConfig, make_phantom


@pytest.fixture(scope="module")
def straight():
    return make_phantom(PhantomConfig(shift_sd_mm=0.0, snr=200.0), frames=[0])


def moments(x, y):
    return Moments(
        float(len(x)),
        np.array([x.sum()]),
        np.array([(x * x).sum()]),
        np.array([[y.sum()]]),
        np.array([[(y * y).sum()]]),
        np.array([[[(x * y).sum()]]]),
    )


def test_moments_of_parts_add_up_to_the_correlation_of_the_whole():
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    y = 3 * x + rng.normal(size=50)
    parts = moments(x[:20], y[:20]) + moments(x[20:], y[20:])
    assert parts.correlation().item() == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_a_profile_that_does_not_vary_agrees_with_nothing():
    assert moments(np.ones(9), np.arange(9.0)).correlation().item() == 0
    assert moments(np.ones(0), np.ones(0)).correlation().item() == 0


def test_only_images_across_the_slices_cross_them(straight):
    along = straight.sax.select(slices=[3])
    views = [straight.lax["4ch"], along, straight.lax["2ch"]]
    assert crossing_views(straight.sax, views) == [0, 2]


def test_profiles_agree_best_at_the_offset_that_follows_from_the_shift(straight):
    heart = straight.sax_labels[0] > 0
    middle = int(heart.sum((1, 2)).argmax())
    shift = np.zeros((len(heart), 2))
    shift[middle] = [3.0, -4.0]
    # What a slice shows is displaced by +shift if it lies at the shift from where it is taken to lie.
    displaced = replace(straight.sax, origins=straight.sax.origins + SliceShifts(shift).vectors(straight.sax))
    found = find_crossings(displaced, [straight.lax["4ch"]], heart, [0])
    (line,) = (item for item in found if item.index == middle)
    evidence = (line.halves[0] + line.halves[1]).correlation()
    across, along, _ = np.unravel_index(evidence.argmax(), evidence.shape)
    expected = shift[middle] @ line.of_slice
    assert [across * STEP_MM - REACH_MM, along * STEP_MM - REACH_MM] == pytest.approx(expected[:2], abs=1.5)
    assert evidence.max() > 0.9


def test_moving_everything_alike_changes_no_offset(straight):
    stack = straight.sax
    heart = straight.sax_labels[0] > 0
    alike = np.array([2.0, -1.0])
    vector = SliceShifts(np.tile(alike, (len(heart), 1))).vectors(stack)[0]
    for line in find_crossings(stack, list(straight.lax.values()), heart, [0]):
        assert alike @ line.of_slice + vector @ line.of_view == pytest.approx(np.zeros(3), abs=1e-9)


def part_of(view, columns):
    """A long-axis image of which only some columns were acquired."""
    return replace(
        view,
        frames=view.frames[..., columns],
        origins=view.origins + columns.start * view.step_x,
    )


def test_only_what_both_images_show_is_evidence(straight):
    """A long-axis image whose field of view ends within the heart, or before it."""
    heart, view = straight.sax_labels[0] > 0, straight.lax["4ch"]
    width = view.frames.shape[-1]
    whole, half, beside = (
        {item.index: item for item in find_crossings(straight.sax, [part_of(view, columns)], heart, [0])}
        for columns in (slice(0, width), slice(0, width // 2), slice(0, 8))
    )
    assert half.keys() <= whole.keys()
    for index, item in half.items():
        assert item.length == sum(part.count for part in item.halves) * STEP_MM
        assert item.length < whole[index].length
    assert not beside


def test_slices_away_from_the_heart_have_no_line(straight):
    heart = straight.sax_labels[0] > 0
    shown = np.flatnonzero(heart.any((1, 2)))
    found = {item.index for item in find_crossings(straight.sax, [straight.lax["2ch"]], heart, [0])}
    assert found <= set(range(shown[0] - 1, shown[-1] + 2))
    assert set(shown[1:-1]) <= found
