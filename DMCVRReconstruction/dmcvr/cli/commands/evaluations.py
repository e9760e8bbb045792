"""What ``dmcvr evaluate`` runs: an evaluation a table, from its arguments."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ...baselines import BASELINES
from ...core.progress import Progress
from ...evaluation.cases import DataFolder
from ...evaluation.clinical import clinical_tables
from ...evaluation.contours import read_contours
from ...evaluation.figures.choice import (
    examination_drawings,
    slice_drawings,
    table_drawings,
    view_drawings,
    withheld_drawings,
)
from ...evaluation.figures.drawing import Drawing
from ...evaluation.generation import Generators, generation_tables
from ...evaluation.long_axis import Phantoms, long_axis_tables
from ...evaluation.methods import Comparison
from ...evaluation.real_examination import RealExamination, check_contours, examine
from ...evaluation.segmentation import segmentation_tables
from ...evaluation.summary import Table
from ...evaluation.view_tables import examination_tables
from ...evaluation.withheld import withheld_tables
from ...io.inputs import read_input
from ...model.inference import Model
from ...simulation.shapemodel import HeldBackHearts
from ..choices import chosen_options

WORDS = {"stop_log_snr": "stop"}
"""What is typed for options that have another name."""


Done = Callable[[], None]
"""Called after each case."""


@dataclass(frozen=True)
class Outcome:
    """The tables, and what gives their figures, telling its progress, where these are wanted."""

    tables: list[Table]
    drawings: Callable[[Progress], Iterable[Drawing]]


@dataclass(frozen=True)
class Evaluation:
    """An evaluation of ``count`` cases that can be run.

    inputs: files and folders that no output may lie among. fill: given the model, if ``needs_model``, and a
    progress function.
    """

    inputs: tuple[Path, ...]
    count: int
    needs_model: bool
    fill: Callable[[Model | None, Progress], Outcome]


def case_by_case(
    source: Path | None,
    count: int,
    needs_model: bool,
    fill_tables: Callable[[Model | None, Done], list[Table]],
    draw: Callable[[list[Table], Model | None, Progress], Iterable[Drawing]] = lambda *arguments: (),
) -> Evaluation:
    """An evaluation of ``count`` cases of the folder ``source``; ``draw`` gives the figures that not every
    table has.
    """

    def fill(model: Model | None, progress: Progress) -> Outcome:
        finished = 0

        def done() -> None:
            nonlocal finished
            finished += 1
            progress("evaluate", finished, count)

        tables = fill_tables(model, done)

        def drawings(progress: Progress) -> Iterable[Drawing]:
            yield from table_drawings(tables)
            yield from draw(tables, model, progress)

        return Outcome(tables, drawings)

    return Evaluation(() if source is None else (source,), count, needs_model, fill)


def _segmentation(arguments: argparse.Namespace) -> Evaluation:
    cases, every = data_folder(arguments), arguments.every
    return case_by_case(
        arguments.data,
        len(cases),
        True,
        lambda model, done: segmentation_tables(
            (case.thinned(every) for case in cases), _needed(model), done
        ),
    )


def _generation(arguments: argparse.Namespace) -> Evaluation:
    cases, methods, steps = data_folder(arguments), arguments.methods, arguments.steps

    @cache
    def generators(model: Model | None) -> Generators:
        return Generators(_needed(model), _diffae(arguments), arguments.optimisation_steps)

    return case_by_case(
        arguments.data,
        len(cases),
        True,
        lambda model, done: generation_tables(cases, generators(model), methods, steps, done),
        lambda tables, model, progress: slice_drawings(
            tables[0], cases, generators(model), methods, steps, progress
        ),
    )


def _withheld(arguments: argparse.Namespace) -> Evaluation:
    return _compared(arguments, data_folder(arguments), withheld_tables, withheld_drawings)


def _clinical(arguments: argparse.Namespace) -> Evaluation:
    return _compared(arguments, data_folder(arguments), clinical_tables)


def _long_axis(arguments: argparse.Namespace) -> Evaluation:
    return _compared(arguments, _known_hearts(arguments), long_axis_tables, view_drawings)


def _compared(
    arguments: argparse.Namespace,
    cases: DataFolder | Phantoms | HeldBackHearts,
    fill_tables: Callable[..., list[Table]],
    draw: Callable[..., Iterable[Drawing]] = lambda *arguments: (),
) -> Evaluation:
    """Methods compared over ``cases``: ``fill_tables(cases, model, comparison, done)``, and
    ``draw(table, cases, model, comparison, progress)``.
    """
    comparison = comparison_of(arguments, arguments.predicted_labels)
    return case_by_case(
        vars(arguments).get("data") or vars(arguments).get("hearts"),
        len(cases),
        comparison.needs_model,
        lambda model, done: fill_tables(cases, model, comparison, done),
        lambda tables, model, progress: draw(tables[0], cases, model, comparison, progress),
    )


def _needed(model: Model | None) -> Model:
    """The model of an evaluation that needs one."""
    assert model is not None  # whoever runs an evaluation loads a model if `needs_model`
    return model


def _views(arguments: argparse.Namespace) -> Evaluation:
    """One examination with its long-axis images."""
    given = read_input(arguments.input, arguments.lax, arguments.labels, arguments.label_values)
    stack, lax, labels = given.stack, given.lax, given.labels
    contours = tuple(read_contours(path) for path in arguments.contours)
    check_contours(contours, len(stack.frames))
    comparison = comparison_of(arguments, predicted_labels=False)
    drawn = "segmenter" if labels is None else "experts"

    def fill(model: Model | None, progress: Progress) -> Outcome:
        examination = RealExamination(stack, lax, labels, contours)
        examined = examine(examination, arguments.frames, model, comparison, progress)
        return Outcome(examination_tables(examined, drawn), lambda progress: examination_drawings(examined))

    drawn_files = () if arguments.labels is None else (arguments.labels,)
    inputs = (arguments.input, *arguments.lax, *arguments.contours, *drawn_files)
    return Evaluation(inputs, len(arguments.frames), labels is None or comparison.needs_model, fill)


def _known_hearts(arguments: argparse.Namespace) -> Phantoms | HeldBackHearts:
    if arguments.hearts is None:
        return Phantoms(arguments.phantoms)
    return HeldBackHearts(arguments.hearts, arguments.heart_count)


def data_folder(arguments: argparse.Namespace) -> DataFolder:
    """The labelled stacks. Raises InputError for data without a case."""
    return DataFolder(arguments.data, arguments.label_values, arguments.cases)


def comparison_of(arguments: argparse.Namespace, predicted_labels: bool) -> Comparison:
    """The methods to compare, and how: on slices as they are, which an evaluation itself puts in register."""
    options = replace(chosen_options(arguments), align="off")
    return Comparison(arguments.methods, predicted_labels, options)


def _diffae(arguments: argparse.Namespace) -> Model | None:
    if arguments.diffae_model is None or "diffae" not in arguments.methods:
        return None
    return Model.load(arguments.diffae_model, arguments.device, arguments.precision)


EVALUATIONS: dict[str, Callable[[argparse.Namespace], Evaluation]] = {
    "segmentation": _segmentation,
    "generation": _generation,
    "withheld": _withheld,
    "clinical": _clinical,
    "long-axis": _long_axis,
    "views": _views,
}
"""By table."""


def command_line(arguments: argparse.Namespace) -> str:
    """The command that gives the same numbers; of folders the last name only, and of files none: paths tell
    of people.
    """
    words = ["dmcvr", "evaluate", arguments.table]
    if "input" in arguments:
        words.append("INPUT")
        for name in ("lax", "labels", "contours", "slices"):
            if getattr(arguments, name, None):
                words += [f"--{name}", "FILES"]
    made = "hearts heart_count" if getattr(arguments, "hearts", None) else "phantoms"
    generates = not set(getattr(arguments, "methods", ())) <= set(BASELINES)
    how = "rule steps stop_log_snr label_rule" if generates else ""
    if arguments.table == "whole":
        made = "" if arguments.data is not None else f"{made} slice_shift view_shift labels shifts_from"
    own = "deeprecon_model optimisation_steps" if "deeprecon" in getattr(arguments, "methods", ()) else ""
    names = f"data label_values cases {made} frames methods {how} model diffae_model {own} precision"
    for name in names.split():
        value = getattr(arguments, name, None)
        if value is None or value == "":
            continue
        if isinstance(value, tuple):
            value = ",".join(str(item) for item in value)
        elif isinstance(value, Path):
            value = value.resolve().name
        words += [f"--{WORDS.get(name, name).replace('_', '-')}", str(value)]
    if getattr(arguments, "samples", 0):
        words += ["--uncertainty", str(arguments.samples)]
    if getattr(arguments, "predicted_labels", False):
        words.append("--predicted-labels")
    return shlex.join(words)
