"""Table 4: the segmenter on real stacks against expert labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import nan

import numpy as np

from ..anatomy import ejection_fraction, stack_volumes_ml
from ..model import Model
from .cases import Case
from .methods import find_labels
from .metrics import is_missing, structures
from .scores import mask_scores
from .summary import Column, Row, Table

COLUMNS = (
    Column("Dice"),
    Column("ASSD mm", 2),
    Column("ASSD mm (mean of means)", 2),
    Column("HD95 mm", 2),
    Column("volume error ml", 1, agreement=True),
)


def segmentation_tables(
    cases: Iterable[Case], model: Model, done: Callable[[], None] = lambda: None
) -> list[Table]:
    """Scores of every stack in 3D, by phase and structure, and the error in ejection fraction.

    Volumes are by summation of discs, errors predicted minus true. A stack in which no heart was found has
    Dice 0 and neither distances nor volumes; the ejection fraction needs both phases of a patient.
    done: called after each case.
    """
    rows, missed = [], []
    cavity: dict[str, dict[str, tuple[float, float]]] = {}
    for case in cases:
        found = find_labels(model, case.stack)
        if found is None:
            missed.append(case.name)
        rows += _rows(case, found)
        if found is not None and case.phase in ("ED", "ES"):
            volumes = tuple(_volumes(case, labels)["LVC"] for labels in (found, case.labels))
            cavity.setdefault(case.patient, {})[case.phase] = volumes
        done()
    count = len({row.case for row in rows})
    note = (
        f"No heart was found in {len(missed)} of {count} stacks; "
        "these have Dice 0, no distance and no volume error."
    )
    return [
        Table("Segmentation (3D)", ("phase", "structure"), COLUMNS, tuple(rows), (note,)),
        _function_table(cavity),
    ]


def _volumes(case: Case, labels: np.ndarray) -> dict[str, float]:
    return stack_volumes_ml(labels, case.stack.positions, float(np.prod(case.stack.spacing)))


def _rows(case: Case, found: np.ndarray | None) -> list[Row]:
    predicted = np.zeros_like(case.labels) if found is None else found
    masks, real = structures(predicted), structures(case.labels)
    volumes = [_volumes(case, labels) for labels in (predicted, case.labels)]
    rows = []
    for name in masks:
        scores = mask_scores(masks[name], real[name], case.spacing)
        error = nan if found is None or name == "all" else volumes[0][name] - volumes[1][name]
        values = {**scores, "volume error ml": error}
        rows.append(
            Row(case.name, (case.phase, name), values, empty=int(is_missing(masks[name], real[name])))
        )
    return rows


def _function_table(cavity: dict[str, dict[str, tuple[float, float]]]) -> Table:
    """Errors of the ejection fraction, in percentage points, of the patients with both phases.

    cavity: by patient and phase, the predicted and the true LVC volume in ml.
    """
    rows = []
    for patient, phases in cavity.items():
        if len(phases) < 2 or min(phases["ED"]) <= 0:
            continue
        predicted, true = (
            ejection_fraction(edv, esv) for edv, esv in zip(phases["ED"], phases["ES"], strict=True)
        )
        values = {"error": predicted - true, "absolute error": abs(predicted - true)}
        rows.append(Row(patient, ("EF, percentage points",), values))
    columns = (Column("error", 1, agreement=True), Column("absolute error", 1))
    return Table(
        "Ejection fraction (disc summation)",
        ("measure",),
        columns,
        tuple(rows),
        ("Patients with both phases, the heart found in both.",),
    )
