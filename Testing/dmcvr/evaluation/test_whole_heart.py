"""Whole hearts against the truth, where the answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.alignment.shifts import SliceShifts, in_plane
from dmcvr.core.geometry import unit
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.methods import Comparison, reconstructions
from dmcvr.evaluation.summary import Column, Row, Table
from dmcvr.evaluation.whole_heart import (
    Conditions,
    Truth,
    biased,
    left_over,
    shape_rows,
    whole_tables,
    worst,
)
from dmcvr.simulation.phantom import make_phantom

SHAPE = Comparison(("shape",))


@pytest.fixture(scope="module")
def straight(phantom):
    """The small phantom scanned in one breath-hold."""
    return make_phantom(replace(phantom.config, shift_sd_mm=0.0), frames=[0])


@pytest.fixture(scope="module")
def displaced(phantom):
    return make_phantom(replace(phantom.config, shift_sd_mm=3.0, lax_shift_sd_mm=1.0), frames=[0])


@pytest.fixture(scope="module")
def result(straight):
    ((_, result),) = reconstructions(straight.sax, straight.sax_labels[0], None, SHAPE)
    return result


def extended(result, slices):
    """A reconstruction with so many slices more at both ends."""
    grid = result.grid
    count = len(result.labels[0]) + 2 * slices
    grid = replace(grid, origin=grid.origin - slices * grid.step_z, shape=(count, *grid.shape[1:]))
    return replace(result, grid=grid)


def test_the_truth_itself_scores_perfectly(straight, result):
    truth = Truth.of(straight)
    whole = extended(result, 8)
    exact = replace(whole, labels=straight.truth(whole.grid)[None])
    for row in shape_rows("one", ("shape",), truth, exact, np.zeros((len(straight.shifts), 3))):
        assert row.values["Dice"] > 0.96
        assert row.values["ASSD, mm"] < 0.6
        assert abs(row.values["volume error, %"]) < 2
        assert row.values["pieces"] == 1
        assert row.empty == 0


def test_a_displacement_of_the_whole_stack_does_not_count(straight, result):
    truth = Truth.of(straight)
    vector = np.array([4.0, -3.0, 2.0])
    left = np.tile(vector, (len(straight.shifts), 1))
    moved = replace(result, grid=replace(result.grid, origin=result.grid.origin + vector))
    rows = shape_rows("one", (), truth, result, 0 * left), shape_rows("one", (), truth, moved, left)
    for one, other in zip(*rows, strict=True):
        assert other.values["Dice"] == pytest.approx(one.values["Dice"], abs=1e-6)
    unaware = shape_rows("one", (), truth, moved, 0 * left)
    assert unaware[1].values["Dice"] < rows[0][1].values["Dice"] - 0.1


def test_a_missed_heart_scores_nothing(straight):
    rows = shape_rows("one", ("shape",), Truth.of(straight), None, np.zeros((len(straight.shifts), 3)))
    assert [row.values["Dice"] for row in rows] == [0, 0, 0]
    assert [row.values["volume error, %"] for row in rows] == [-100, -100, -100]
    assert [row.empty for row in rows] == [1, 1, 1]


def test_true_shifts_leave_what_is_through_the_plane(displaced):
    true = SliceShifts(in_plane(displaced.shifts, displaced.sax))
    left = left_over(displaced, true)
    assert in_plane(left, displaced.sax) == pytest.approx(np.zeros((len(left), 2)), abs=1e-9)
    assert left @ unit(displaced.sax.normal) == pytest.approx(displaced.shifts @ displaced.sax.normal)


def test_outlines_are_biased_both_ways_and_nothing_is_made_up():
    labels = np.zeros((2, 40, 40), np.uint8)
    labels[0, 10:30, 10:30] = LVM
    labels[0, 15:25, 15:25] = LVC
    wider, narrower = (biased(labels, (1.0, 1.0), mm) for mm in (1.0, -1.0))
    assert (wider[0, 20] > 0).sum() == 22
    assert (wider[0, 20] == LVC).sum() == 12
    assert (narrower[0, 20] > 0).sum() == 18
    assert (narrower[0, 20] == LVC).sum() == 8
    assert not wider[1].any()
    assert not (wider == RVC).any()


def test_tables_tell_what_putting_slices_in_register_gives(displaced, lines):
    calls = []
    conditions = Conditions(("exact", "biased"), ("nothing", "truth"))
    shapes, worst_shapes, hearts, _, gains = whole_tables(
        [("one", displaced)], None, SHAPE, conditions, lambda: calls.append(1)
    )
    assert len(calls) == 1
    scores = lines(shapes)
    for name in ("LVC", "LVM", "RVC"):
        dice = {
            source: scores[name, "exact", source, "shape"].cells["Dice"].mean
            for source in conditions.shifts_from
        }
        assert dice["truth"] > dice["nothing"]
        gained = lines(gains)["one", "exact", "truth", "shape"].cells[f"Dice gain {name}"].mean
        assert gained == pytest.approx(dice["truth"] - dice["nothing"])
    left = {group[1]: line.cells for group, line in lines(hearts).items() if group[0] == "exact"}
    assert left["nothing"]["shifts left, mm"].mean == pytest.approx(left["nothing"]["shifts, mm"].mean)
    assert left["truth"]["shifts left, mm"].mean == pytest.approx(0, abs=1e-9)
    assert lines(worst_shapes)["LVM", "exact", "truth", "shape"].cells["Dice"].mean == pytest.approx(
        scores["LVM", "exact", "truth", "shape"].cells["Dice"].mean
    )


def test_the_worst_is_farthest_from_the_ideal(lines):
    columns = (Column("Dice"), Column("volume error, %"), Column("volume over disc summation"))
    rows = (
        Row("a", ("x",), dict(zip((c.name for c in columns), (0.9, -4.0, 1.05), strict=True))),
        Row("b", ("x",), dict(zip((c.name for c in columns), (0.8, 3.0, 0.9), strict=True))),
        Row("c", ("x",), {"Dice": np.nan}),
    )
    cells = lines(worst(Table("T", ("method",), columns, rows)))[("x",)].cells
    assert [cells[column.name].mean for column in columns] == [0.8, -4.0, 0.9]
