from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from dmcvr.baselines import BASELINES
from dmcvr.core.labels import NAMES, RVC
from dmcvr.evaluation.methods import Comparison
from dmcvr.evaluation.withheld import Split, gap_name, label_scores, withheld_tables
from dmcvr.reconstruction.options import Options
from scipy import ndimage

FAST = Options(steps=1)

ALL = Comparison(tuple(BASELINES))
SHAPE = Comparison(("shape",))


@pytest.mark.parametrize(
    ("count", "kept", "withheld"), [(3, [0, 2], [1]), (6, [0, 2, 4], [1, 3]), (7, [0, 2, 4, 6], [1, 3, 5])]
)
def test_only_slices_between_kept_ones_are_withheld(count, kept, withheld):
    split = Split.of(count)
    assert (split.kept.tolist(), split.withheld.tolist()) == (kept, withheld)


def test_two_slices_have_none_between():
    assert Split.of(2) is None


@pytest.mark.parametrize(
    ("gap", "name"), [(5, "10 mm"), (6.5, "10 mm"), (8, "20 mm"), (10, "20 mm"), (1, "10 mm")]
)
def test_gaps_by_tens(prism, gap, name):
    assert gap_name(prism(gap=gap).stack) == name


def test_what_does_not_change_along_the_stack_is_met_by_every_method(prism, lines):
    calls = []
    cases = [prism(gap=10.0, name="b_ED"), prism(gap=5.0, name="a_ED")]
    (table,) = withheld_tables(cases, None, ALL, lambda: calls.append(1))
    assert len(calls) == 2
    summary = lines(table)
    assert list(summary) == [(gap, method) for gap in ("10 mm", "20 mm") for method in BASELINES]
    for line in summary.values():
        assert (line.cases, line.empty) == (1, 0)
        for name in (*NAMES.values(), *(f"{name} shifted" for name in NAMES.values()), "every slice"):
            assert line.cells[name].mean == 1
    # The image changes evenly along the stack, which the straight line meets and the nearest slice does not.
    assert summary["10 mm", "linear"].cells["PSNR dB"].mean > 100
    assert summary["10 mm", "linear"].cells["SSIM"].mean == pytest.approx(1, abs=1e-6)
    assert summary["10 mm", "nearest"].cells["PSNR dB"].mean < 30


def test_a_withheld_slice_displaced_in_its_breath_hold(prism, lines):
    case = prism()
    labels = case.labels.copy()
    for index in (1, 3):
        labels[index] = ndimage.shift(labels[index], (2, -1), order=0)
    (table,) = withheld_tables([replace(case, labels=labels)], None, SHAPE)
    cells = lines(table)["10 mm", "shape"].cells
    for name in NAMES.values():
        assert cells[name].mean < 0.9
        assert cells[f"{name} shifted"].mean == 1


def test_a_structure_counts_where_both_neighbours_show_it(prism, lines):
    case = prism()
    labels = case.labels.copy()
    labels[4][labels[4] == RVC] = 0
    (table,) = withheld_tables([replace(case, labels=labels)], None, SHAPE)
    first, second = (row.values for row in table.rows)
    assert first["RVC"] == 1
    assert isnan(second["RVC"])
    assert isnan(second["RVC shifted"])
    # Between a slice with RV and one without it ends half-way: of slice 3 a few pixels are left, and counted.
    assert 2 / 3 <= second["every slice"] < 0.69
    assert [row.empty for row in table.rows] == [0, 0]


def test_what_is_made_up_or_missed_counts_as_empty_and_as_nothing(prism):
    true = prism().labels[0]
    without = np.where(true == RVC, 0, true)
    values = label_scores(without, true, (true, true), (2.0, 2.0))
    assert (values["RVC"], values["LVC"]) == (0, 1)
    assert values["every slice"] == pytest.approx(2 / 3)
    assert label_scores(without, without, (true, without), (2.0, 2.0))["every slice"] == 1


def test_short_stacks_and_missed_hearts_are_told(prism, model, lines):
    dark = prism(name="dark_ED")
    dark = replace(dark, stack=replace(dark.stack, frames=np.zeros_like(dark.stack.frames)))
    comparison = Comparison(("linear",), predicted_labels=True)
    (table,) = withheld_tables([prism(count=2), dark], model, comparison)
    assert "1 stacks had less than three slices; in 1 no heart was found" in table.notes[-1]
    line = lines(table)["10 mm", "linear"]
    assert (line.cases, line.empty) == (1, 6)
    assert (line.cells["LVC"].mean, line.cells["PSNR dB"].cases) == (0, 0)


@pytest.mark.slow
def test_whether_uncertainty_tells_of_errors_is_in_the_table(heart, model, lines):
    from dmcvr.evaluation.cases import Case

    comparison = Comparison(("linear", "dmcvr"), options=Options(steps=1, samples=2))
    cases = [
        Case(f"p{start}_ED", heart[0].select(slices=slice(start, start + 3)), heart[1][0, start : start + 3])
        for start in (0, 1)
    ]
    (table,) = withheld_tables(cases, model, comparison)
    cells = lines(table)["20 mm", "dmcvr"].cells
    assert 0 < cells["uncertainty"].mean < cells["error"].mean
    assert 0 < cells["rank correlation"].mean < 1
    assert lines(table)["20 mm", "linear"].cells["uncertainty"].cases == 0
    assert sum("dmcvr: over 2 slices" in note for note in table.notes) == 1


def test_the_diffusion_model_takes_part(heart, model, lines):
    from dmcvr.evaluation.cases import Case

    case = Case("p_ED", heart[0], heart[1][0])
    (table,) = withheld_tables([case], model, Comparison(("shape", "dmcvr"), options=FAST))
    summary = lines(table)
    for name, least in {"LVC": 0.935, "LVM": 0.865, "RVC": 0.93}.items():  # .941, .872, .937
        assert summary["20 mm", "dmcvr"].cells[name].mean > least
    assert summary["20 mm", "dmcvr"].cells["PSNR dB"].mean > 19.5
    assert summary["20 mm", "dmcvr"].cells["PSNR dB"].mean != summary["20 mm", "shape"].cells["PSNR dB"].mean
