from dataclasses import replace

import numpy as np
import pytest
from dmcvr.evaluation.long_axis import FIRST_SEED, VIEWS, Phantoms, cut, long_axis_tables
from dmcvr.evaluation.methods import Comparison, reconstructions
from dmcvr.evaluation.metrics import dice
from dmcvr.evaluation.scores import dice_by_structure
from dmcvr.simulation.phantom import make_phantom, random_config


@pytest.fixture(scope="module")
def straight(phantom):
    """The small phantom scanned in one breath-hold."""
    return make_phantom(replace(phantom.config, shift_sd_mm=0.0), frames=[0])


def test_the_exact_truth_cut_by_the_planes_is_the_truth_on_them(straight):
    comparison = Comparison(("nearest",))
    ((_, result),) = reconstructions(straight.sax, straight.sax_labels[0], None, comparison)
    exact = replace(result, labels=straight.truth(result.grid, 0)[None])
    for view in VIEWS:
        true = straight.lax_labels[view][0, 0]
        found = cut(exact, straight.lax[view].plane(0))
        assert found.shape == true.shape
        assert dice(found > 0, true > 0) > 0.975


def test_scores_are_those_of_the_cut(straight, lines):
    calls = []
    comparison = Comparison(("shape", "nearest"))
    (table,) = long_axis_tables([("one", straight)], None, comparison, lambda: calls.append(1))
    assert len(calls) == 1
    summary = lines(table)
    assert list(summary)[:3] == [("all", "shape"), ("all", "nearest"), ("LVC", "shape")]
    for method, result in reconstructions(straight.sax, straight.sax_labels[0], None, comparison):
        for view in VIEWS:
            expected = dice_by_structure(
                cut(result, straight.lax[view].plane(0)), straight.lax_labels[view][0, 0]
            )
            for name, value in expected.items():
                assert summary[name, method].cells[view].mean == pytest.approx(value, nan_ok=True)
    averages = summary["LVM", "shape"].cells
    assert averages["average"].mean == pytest.approx(np.mean([averages[view].mean for view in VIEWS]))
    assert summary["LVM", "shape"].cells["average"].mean > summary["LVM", "nearest"].cells["average"].mean


def test_a_missed_heart_scores_nothing(straight, model, lines):
    dark = replace(straight, sax=replace(straight.sax, frames=np.zeros_like(straight.sax.frames)))
    comparison = Comparison(("nearest",), predicted_labels=True)
    (table,) = long_axis_tables([("dark", dark)], model, comparison)
    line = lines(table)["LVC", "nearest"]
    assert (line.cells["average"].mean, line.empty) == (0, 3)
    assert "in 1 of the stacks" in table.notes[-1]


@pytest.mark.slow
def test_phantoms_have_seeds_of_their_own_and_both_phases():
    phantoms = Phantoms(2)
    assert len(phantoms) == 2
    (first, ed), (second, es) = phantoms
    assert (first, second) == (f"phantom{FIRST_SEED}", f"phantom{FIRST_SEED + 1}")
    assert ed.config == random_config(FIRST_SEED)
    assert ed.frames == (0,)
    assert es.frames == (es.config.n_frames // 3,)
