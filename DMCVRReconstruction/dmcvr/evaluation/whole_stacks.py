"""Whole hearts of real stacks, of which no truth is known: volumes, holes, pieces, and the course of a
cine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import nan

import numpy as np

from ..anatomy.function import ejection_fraction
from ..core.labels import NAMES
from ..core.progress import Progress
from ..core.stack import Stack
from ..model.inference import Model
from ..reconstruction.pipeline import reconstruct
from ..reconstruction.result import Reconstruction
from ..simulation.phantom.ventricles import ejected
from .cases import Case
from .methods import Comparison, reconstructions
from .summary import Column, Row, Table, by_structure
from .whole_heart import worst
from .whole_metrics import (
    apex_hole_mm2,
    largest_deviation_percent,
    pieces,
    roughness_percent,
    stroke_volume,
)

SHAPE_COLUMNS = (
    Column("volume over disc summation", drawn="Volume over disc summation"),
    Column("pieces", 1),
)
HEART_COLUMNS = (Column("hole in the apex, mm2", 0),)
STACK_NOTES = (
    "Disc summation: of the same labels of the acquired slices, each slice standing for half of the gap on "
    "either side.",
)
DISCS = "disc summation"
EXACT = "a phantom, exactly"
CYCLE_COLUMNS = (
    Column("LVC roughness, %", 1),
    Column("RVC roughness, %", 1),
    Column("LVM largest deviation, %", 1),
    Column("LV EDV, ml", 0),
    Column("LV EF, %", 1),
    Column("LV stroke volume, ml", 0),
    Column("RV stroke volume, ml", 0),
    Column("LV over RV stroke volume", 2),
)
CYCLE_NOTES = (
    "Roughness: root mean square of the volume curve's second differences, the cycle closed, over the stroke "
    "volume. Largest deviation: of the muscle's volume from its mean over the cycle. Stroke volumes: largest "
    "minus smallest volume of each ventricle.",
    "A phantom, exactly: how rough the beat of a ventricle by formula is in as many frames, without error.",
)


def whole_stack_tables(
    cases: Iterable[Case],
    model: Model | None,
    comparison: Comparison,
    done: Callable[[], None] = lambda: None,
) -> list[Table]:
    """Structures, then hearts, by method, each followed by its worst. A stack in which no heart was found is
    left out and counted. done: called after each case.
    """
    shapes: list[Row] = []
    hearts: list[Row] = []
    missed = set()
    for case in cases:
        for method, result in reconstructions(case.stack, case.labels, model, comparison):
            if result is None:
                missed.add(case.name)
                continue
            shapes += _structures(case.name, method, result)
            hole = apex_hole_mm2(result.labels[0], result.grid)
            hearts.append(Row(case.name, (method,), {"hole in the apex, mm2": hole}))
        done()
    notes = (*STACK_NOTES, f"No heart was found in {len(missed)} of the stacks; these are left out.")
    tables = [
        Table("Structures", ("structure", "method"), SHAPE_COLUMNS, by_structure(shapes), notes),
        Table("Hearts", ("method",), HEART_COLUMNS, tuple(hearts), notes),
    ]
    return [table for each in tables for table in (each, worst(each))]


def _structures(case: str, method: str, result: Reconstruction) -> list[Row]:
    rows, measured, discs = [], result.volumes[0], result.stack_volumes[0]
    for label, name in NAMES.items():
        values = {
            "volume over disc summation": measured[name] / discs[name] if discs[name] > 0 else nan,
            "pieces": float(pieces(result.labels[0] == label)),
        }
        rows.append(Row(case, (name, method), values))
    return rows


def cycle_reconstructions(
    stack: Stack, model: Model | None, comparison: Comparison, progress: Progress
) -> dict[str, Reconstruction]:
    """All frames of a cine that show a heart, reconstructed by every method from the segmenter's labels."""
    out: dict[str, Reconstruction] = {}
    for method in comparison.methods:
        options = replace(comparison.options, method=method, frame="all", samples=0)
        # The slices are segmented once; where some or whole frames show nothing, the first result is without.
        first = next(iter(out.values()), None)
        shown, labels = (stack, None) if first is None else (first.stack, first.stack_labels)
        out[method] = reconstruct(shown, model, options, progress, labels)
    return out


def cycle_table(case: str, results: Mapping[str, Reconstruction]) -> Table:
    """The course of a cine by method, and by disc summation of the slices of the first of ``results``.

    results: of all frames, by method.
    """
    curves = {method: result.volumes for method, result in results.items()}
    if results:
        curves = {DISCS: next(iter(results.values())).stack_volumes, **curves}
    rows = [Row(case, (method,), cycle_values(volumes)) for method, volumes in curves.items()]
    rows += [Row(case, (EXACT,), exact_beat(len(volumes))) for volumes in list(curves.values())[:1]]
    return Table("Cycle", ("method",), CYCLE_COLUMNS, tuple(rows), CYCLE_NOTES)


def exact_beat(frames: int) -> dict[str, float]:
    """What can be said of a phantom's LV over so many frames, by the columns' names."""
    filled = 1 - ejected(np.arange(frames) / frames)
    return {"LVC roughness, %": roughness_percent(filled.tolist())}


def cycle_values(volumes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What the volumes in ml of a whole cycle, a frame each, say of it, by the columns' names."""
    left, wall, right = ([frame[name] for frame in volumes] for name in ("LVC", "LVM", "RVC"))
    stroke, beside = stroke_volume(left), stroke_volume(right)
    return {
        "LVC roughness, %": roughness_percent(left),
        "RVC roughness, %": roughness_percent(right),
        "LVM largest deviation, %": largest_deviation_percent(wall),
        "LV EDV, ml": max(left),
        "LV EF, %": ejection_fraction(max(left), min(left)) if max(left) > 0 else nan,
        "LV stroke volume, ml": stroke,
        "RV stroke volume, ml": beside,
        "LV over RV stroke volume": stroke / beside if beside > 0 else nan,
    }
