"""The evaluations of whole hearts: in 3D against the truth, over a cine, against another tool's contours."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ...core.progress import Progress
from ...evaluation.contour_points import read_contour_points
from ...evaluation.contour_slices import read_planes, stack_from_contours
from ...evaluation.contour_table import ContourCase, contour_table
from ...evaluation.figures.choice import cycle_drawings, table_drawings, whole_drawings, whole_stack_drawings
from ...evaluation.long_axis import Phantoms
from ...evaluation.whole_heart import Conditions, whole_tables
from ...evaluation.whole_stacks import cycle_reconstructions, cycle_table, whole_stack_tables
from ...io.inputs import read_input
from ...model.inference import Model
from ...simulation.shapemodel import HeldBackHearts
from .evaluations import Evaluation, Outcome, case_by_case, comparison_of, data_folder


def _whole(arguments: argparse.Namespace) -> Evaluation:
    """Known hearts, or real stacks where there is a data folder."""
    if arguments.data is not None:
        return _whole_stacks(arguments)
    scan = {"shift_sd_mm": arguments.slice_shift, "lax_shift_sd_mm": arguments.view_shift}
    hearts: Phantoms | HeldBackHearts = Phantoms(arguments.phantoms, scan)
    if arguments.hearts is not None:
        hearts = HeldBackHearts(arguments.hearts, arguments.heart_count, scan)
    comparison = comparison_of(arguments, predicted_labels=False)
    conditions = Conditions(arguments.labels, arguments.shifts_from)
    return case_by_case(
        arguments.hearts,
        len(hearts),
        comparison.needs_model
        or "predicted" in arguments.labels
        or any("shape" in source for source in arguments.shifts_from),
        lambda model, done: whole_tables(hearts, model, comparison, conditions, done),
        lambda tables, model, progress: whole_drawings(
            tables[0], hearts, model, comparison, conditions, progress
        ),
    )


def _whole_stacks(arguments: argparse.Namespace) -> Evaluation:
    cases, comparison = data_folder(arguments), comparison_of(arguments, arguments.predicted_labels)
    return case_by_case(
        arguments.data,
        len(cases),
        comparison.needs_model,
        lambda model, done: whole_stack_tables(cases, model, comparison, done),
        lambda tables, model, progress: whole_stack_drawings(tables[0], cases, model, comparison, progress),
    )


def _cycle(arguments: argparse.Namespace) -> Evaluation:
    stack = read_input(arguments.input).stack
    comparison = comparison_of(arguments, predicted_labels=True)

    def fill(model: Model | None, progress: Progress) -> Outcome:
        results = cycle_reconstructions(stack, model, comparison, progress)
        tables = [cycle_table("cine", results)]
        return Outcome(tables, lambda progress: [*table_drawings(tables), *cycle_drawings(results)])

    return Evaluation((arguments.input,), 1, True, fill)


def _contours(arguments: argparse.Namespace) -> Evaluation:
    points, planes = read_contour_points(arguments.input), read_planes(arguments.slices)
    cases = []
    for frame in sorted(set(points.frames)):
        own = points.select(points.frames == frame)
        cases.append(ContourCase(f"frame {frame:g}", *stack_from_contours(own, planes), own))
    comparison = comparison_of(arguments, predicted_labels=False)
    return case_by_case(
        arguments.input,
        len(cases),
        comparison.needs_model,
        lambda model, done: [contour_table(cases, model, comparison, done)],
    )


WHOLE_EVALUATIONS: dict[str, Callable[[argparse.Namespace], Evaluation]] = {
    "whole": _whole,
    "cycle": _cycle,
    "contours": _contours,
}
"""By table."""
