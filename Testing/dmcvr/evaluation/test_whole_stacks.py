"""Whole hearts of stacks without a truth."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.evaluation.methods import Comparison
from dmcvr.evaluation.whole_stacks import (
    DISCS,
    EXACT,
    cycle_reconstructions,
    cycle_table,
    cycle_values,
    exact_beat,
    whole_stack_tables,
)

pytestmark = pytest.mark.slow


def test_a_prism_lacks_half_a_slice_at_both_ends_and_is_cut_open(prism, lines):
    structures, _, hearts, _ = whole_stack_tables([prism(5)], None, Comparison(("shape",)))
    for name in ("LVC", "LVM", "RVC"):
        cells = lines(structures)[name, "shape"].cells
        # 21 slices of 1 mm... of the grid's spacing, against 5 discs of 5 mm.
        assert 0.8 < cells["volume over disc summation"].mean < 0.95
        assert cells["pieces"].mean == 1
    hole = lines(hearts)[("shape",)].cells["hole in the apex, mm2"].mean
    case = prism(5)
    assert hole == pytest.approx((case.labels[0] == 1).sum() * np.prod(case.stack.spacing))


def test_values_of_a_cycle():
    t = np.arange(20) / 20
    beat = (1 - np.cos(2 * np.pi * t)) / 2
    volumes = [{"LVC": 150 - 90 * b, "LVM": 100 + 5 * np.sign(b - 0.5), "RVC": 160 - 75 * b} for b in beat]
    values = cycle_values(volumes)
    assert values["LV EF, %"] == pytest.approx(60)
    assert values["LV stroke volume, ml"] == pytest.approx(90)
    assert values["LV over RV stroke volume"] == pytest.approx(90 / 75)
    assert values["LVC roughness, %"] == pytest.approx(values["RVC roughness, %"])
    assert values["LVC roughness, %"] < 4
    assert values["LVM largest deviation, %"] == pytest.approx(5, abs=0.6)
    assert values["LV EDV, ml"] == 150


def test_a_beat_without_any_error_is_the_rougher_the_fewer_its_frames():
    roughness = [exact_beat(frames)["LVC roughness, %"] for frames in (20, 25, 30)]
    assert roughness == pytest.approx([7.45, 4.97, 3.63], abs=0.01)


def test_frames_without_a_heart_and_blank_slices_are_left_out_for_all_methods(cine, model):
    frames = cine.sax.frames.copy()
    frames[1] = np.random.default_rng(0).uniform(0, 400, frames[1].shape)
    frames[:, -1] = 0
    stack = replace(cine.sax, frames=frames)
    results = cycle_reconstructions(stack, model, Comparison(("nearest", "shape")), lambda *event: None)
    first, second = results.values()
    assert first.frames == (0, 2)
    np.testing.assert_array_equal(second.stack_labels, first.stack_labels)
    assert second.stack_labels.shape[:2] == (2, len(cine.sax.origins) - 1)


def test_a_cine_by_two_methods_and_by_disc_summation(cine, model, lines):
    told = []
    results = cycle_reconstructions(
        cine.sax, model, Comparison(("nearest", "shape")), lambda *event: told.append(event)
    )
    assert {stage for stage, _, _ in told} >= {"segment"}
    assert [len(result.labels) for result in results.values()] == [3, 3]
    table = lines(cycle_table("cine", results))
    assert list(table) == [(DISCS,), ("nearest",), ("shape",), (EXACT,)]
    discs = [frame["LVC"] for frame in results["shape"].stack_volumes]
    assert table[(DISCS,)].cells["LV stroke volume, ml"].mean == pytest.approx(max(discs) - min(discs))
