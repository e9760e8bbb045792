"""What ``dmcvr evaluate`` runs: the arguments of each table turned into a job."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ...baselines import BASELINES
from ...evaluation.cases import DataFolder
from ...evaluation.clinical import clinical_tables
from ...evaluation.contours import read_contours
from ...evaluation.examination import RealExamination, check_contours, examine
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
from ...evaluation.segmentation import segmentation_tables
from ...evaluation.summary import Table
from ...evaluation.view_tables import examination_tables
from ...evaluation.withheld import withheld_tables
from ...io.volumes import read_labels
from ...model.inference import Model
from ...reconstruction.slice_generator import Progress
from ...simulation.shapemodel import HeldBackHearts
from .reconstruct import generation_options, read_input


@dataclass(frozen=True)
class Outcome:
    """The tables, and what gives their figures, telling its progress, where these are wanted."""

    tables: list[Table]
    drawings: Callable[[Progress], Iterable[Drawing]]


@dataclass(frozen=True)
class Job:
    """An evaluation of ``count`` cases that can be run.

    inputs: files and folders that no output may lie among. fill: given the model, if ``needs_model``, and a
    progress function.
    """

    inputs: tuple[Path, ...]
    count: int
    needs_model: bool
    fill: Callable[[Model | None, Progress], Outcome]


def cohort_job(arguments: argparse.Namespace) -> Job:
    """The job of a table over a data folder or over known hearts. Raises InputError for data that has no
    case.
    """
    table = arguments.table
    cases = _known_hearts(arguments) if table == "long-axis" else _data_folder(arguments)
    count = len(cases)
    comparison = None
    if table not in ("segmentation", "generation"):
        comparison = _comparison(arguments, arguments.predicted_labels)

    def fill(model: Model | None, progress: Progress) -> Outcome:
        finished = 0

        def done() -> None:
            nonlocal finished
            finished += 1
            progress("evaluate", finished, count)

        if table == "segmentation":
            tables = segmentation_tables(cases, model, done)
        elif table == "generation":
            generators = Generators(model, _diffae(arguments))
            tables = generation_tables(cases, generators, arguments.methods, arguments.steps, done)
        else:
            make = {"withheld": withheld_tables, "long-axis": long_axis_tables, "clinical": clinical_tables}
            tables = make[table](cases, model, comparison, done)

        def drawings(progress: Progress) -> Iterable[Drawing]:
            yield from table_drawings(tables)
            if table == "generation":
                options = arguments.methods, arguments.steps
                yield from slice_drawings(tables[0], cases, generators, *options, progress)
            if table == "withheld":
                yield from withheld_drawings(tables[0], cases, model, comparison, progress)
            if table == "long-axis":
                yield from view_drawings(tables[0], cases, model, comparison, progress)

        return Outcome(tables, drawings)

    inputs = tuple(path for path in map(vars(arguments).get, ("data", "hearts")) if path is not None)
    return Job(inputs, count, comparison is None or comparison.needs_model, fill)


def _known_hearts(arguments: argparse.Namespace) -> Phantoms | HeldBackHearts:
    if arguments.hearts is None:
        return Phantoms(arguments.phantoms)
    return HeldBackHearts(arguments.hearts, arguments.heart_count)


def _data_folder(arguments: argparse.Namespace) -> DataFolder:
    return DataFolder(arguments.data, arguments.label_values, arguments.cases)


def _comparison(arguments: argparse.Namespace, predicted_labels: bool) -> Comparison:
    samples = getattr(arguments, "uncertainty", 0)
    options = generation_options(arguments)
    return Comparison(arguments.methods, predicted_labels, options, arguments.label_rule, samples)


def _diffae(arguments: argparse.Namespace) -> Model | None:
    if arguments.diffae_model is None or "diffae" not in arguments.methods:
        return None
    return Model.load(arguments.diffae_model, arguments.device, arguments.precision)


def views_job(arguments: argparse.Namespace) -> Job:
    """The job of one examination with its long-axis images. Raises InputError for what cannot be read."""
    stack, lax, _ = read_input(arguments.input, arguments.lax)
    labels = None
    if arguments.labels is not None:
        labels = read_labels(arguments.labels, stack, arguments.label_values)
    contours = tuple(read_contours(path) for path in arguments.contours)
    check_contours(contours, len(stack.frames))
    comparison = _comparison(arguments, predicted_labels=False)
    drawn = "segmenter" if labels is None else "experts"

    def fill(model: Model | None, progress: Progress) -> Outcome:
        examination = RealExamination(stack, lax, labels, contours)
        examined = examine(examination, arguments.frames, model, comparison, progress)
        return Outcome(examination_tables(examined, drawn), lambda progress: examination_drawings(examined))

    drawn_files = () if arguments.labels is None else (arguments.labels,)
    inputs = (arguments.input, *arguments.lax, *arguments.contours, *drawn_files)
    return Job(inputs, len(arguments.frames), labels is None or comparison.needs_model, fill)


def command_line(arguments: argparse.Namespace) -> str:
    """The command that gives the same numbers; of folders the last name only, and of files none: paths tell
    of people.
    """
    words = ["dmcvr", "evaluate", arguments.table]
    if "input" in arguments:
        words.append("INPUT")
        for name in ("lax", "labels", "contours"):
            if getattr(arguments, name):
                words += [f"--{name}", "FILES"]
    made = "hearts heart_count" if getattr(arguments, "hearts", None) else "phantoms"
    generates = not set(getattr(arguments, "methods", ())) <= set(BASELINES)
    how = "rule steps stop label_rule" if generates else ""
    names = f"data label_values cases {made} frames methods {how} model diffae_model precision"
    for name in names.split():
        value = getattr(arguments, name, None)
        if value is None or value == "":
            continue
        if isinstance(value, tuple):
            value = ",".join(str(item) for item in value)
        elif isinstance(value, Path):
            value = value.resolve().name
        words += [f"--{name.replace('_', '-')}", str(value)]
    if getattr(arguments, "uncertainty", 0):
        words += ["--uncertainty", str(arguments.uncertainty)]
    if getattr(arguments, "predicted_labels", False):
        words.append("--predicted-labels")
    return shlex.join(words)
