from dataclasses import replace

import numpy as np
import pytest
from dmcvr.anatomy.function import stack_volumes_ml
from dmcvr.core.labels import LVC, LVM
from dmcvr.evaluation.cases import Case
from dmcvr.evaluation.methods import find_labels
from dmcvr.evaluation.segmentation import segmentation_tables


@pytest.fixture(scope="module")
def found(heart, model):
    return find_labels(model, heart[0])


@pytest.mark.slow
def test_against_its_own_labels_the_segmenter_is_perfect(heart, found, model, lines):
    calls = []
    cases = [Case(f"p_{phase}", heart[0], found) for phase in ("ED", "ES")]
    overlap, function = segmentation_tables(cases, model, lambda: calls.append(1))
    assert len(calls) == 2
    summary = lines(overlap)
    phases = ("ED", "ES", "all phases")
    assert list(summary) == [(phase, name) for phase in phases for name in ("all", "LVC", "LVM", "RVC")]
    assert [summary[phase, "LVC"].cases for phase in phases] == [1, 1, 2]
    for (_, name), line in summary.items():
        means = {column: cell.mean for column, cell in line.cells.items()}
        assert means["Dice"] == 1
        assert means["HD95 mm"] == means["ASSD mm"] == 0
        assert name == "all" or means["volume error ml"] == 0
        assert line.empty == 0
    assert {group[1] for group in lines(function)} == {"segmenter"}
    for line in lines(function).values():
        assert (line.cases, line.cells["difference"].mean) == (1, 0)


@pytest.mark.slow
def test_volume_and_ejection_fraction_errors_are_predicted_minus_true(heart, found, model, lines):
    stack = heart[0]
    smaller = found.copy()
    smaller[0][smaller[0] == LVC] = LVM
    overlap, function = segmentation_tables(
        [Case("p_ED", stack, found), Case("p_ES", stack, smaller), Case("q_ED", stack, found)], model
    )
    area = float(np.prod(stack.spacing))
    ml, truth = (stack_volumes_ml(item, stack.positions, area)["LVC"] for item in (found, smaller))
    assert truth < ml
    summary = lines(overlap)
    assert summary["ES", "LVC"].cells["volume error ml"].mean == pytest.approx(ml - truth)
    assert summary["ES", "LVM"].cells["volume error ml"].mean == pytest.approx(truth - ml)
    # The segmenter sees no contraction: its EF is 0, the truth's is not. Only p has both phases.
    numbers = lines(function)
    line = numbers["LV EF, %", "segmenter"]
    assert line.cases == 1
    assert line.cells["difference"].mean == pytest.approx(-100 * (ml - truth) / ml)
    assert line.cells["absolute difference"].mean == pytest.approx(100 * (ml - truth) / ml)
    assert numbers["LV ESV, ml", "segmenter"].cells["difference"].mean == pytest.approx(ml - truth)
    assert numbers["LV EDV, ml", "segmenter"].cases == 2
    # Over both phases: a mean over stacks, not over the phases' means.
    dice = [row.values["Dice"] for row in overlap.rows if row.group[1] == "LVC"]
    assert summary["all phases", "LVC"].cells["Dice"].mean == pytest.approx(np.mean(dice))


def test_a_missed_heart_scores_nothing_and_is_counted(heart, found, model, lines):
    stack = replace(heart[0], frames=np.zeros_like(heart[0].frames))
    overlap, function = segmentation_tables([Case("p_ED", stack, found)], model)
    line = lines(overlap)["ED", "LVC"]
    assert (line.cells["Dice"].mean, line.empty) == (0, 1)
    assert line.cells["ASSD mm"].cases == line.cells["volume error ml"].cases == 0
    assert "in 1 of 1 stacks" in overlap.notes[0]
    assert function.rows == ()
