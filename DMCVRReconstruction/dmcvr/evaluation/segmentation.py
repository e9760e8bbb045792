"""Table 4: the segmenter on real stacks against expert labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import nan

import numpy as np

from ..model.inference import Model
from .agreement import Volumes, agreement_table
from .cases import Case
from .methods import find_labels
from .metrics import is_missing, structures
from .scores import mask_scores
from .summary import Column, Row, Table

COLUMNS = (
    Column("Dice", drawn="Dice"),
    Column("ASSD mm", 2, drawn="ASSD, mm"),
    Column("ASSD mm (mean of means)", 2),
    Column("HD95 mm", 2, drawn="HD95, mm"),
    Column("volume error ml", 1, agreement=True),
)
NOTES = (
    "Reference: the experts' labels; measured: the segmenter's. Differences are measured minus reference.",
    "Of stacks in which the heart was found; ejection fractions are of patients with both phases, the mass "
    "is that at end-diastole.",
)


def segmentation_tables(
    cases: Iterable[Case], model: Model, done: Callable[[], None] = lambda: None
) -> list[Table]:
    """Scores of every stack in 3D, by phase and structure and over both phases, and the errors in clinical
    numbers.

    Volumes are by summation of discs, errors predicted minus true. A stack in which no heart was found has
    Dice 0 and neither distances nor volumes. done: called after each case.
    """
    rows, missed = [], []
    pairs: dict[tuple[str, str], dict[str, tuple[Volumes, Volumes]]] = {}
    for case in cases:
        found = find_labels(model, case.stack)
        rows += _rows(case, found)
        if found is None:
            missed.append(case.name)
        else:
            volumes = case.volumes(found), case.volumes(case.labels)
            pairs.setdefault((case.patient, "segmenter"), {})[case.phase] = volumes
        done()
    count = len({row.case for row in rows})
    note = (
        f"No heart was found in {len(missed)} of {count} stacks; "
        "these have Dice 0, no distance and no volume error."
    )
    overlap = Table(
        "Segmentation (3D)", ("phase", "structure"), COLUMNS, tuple(rows), (note,), overall="all phases"
    )
    return [overlap, agreement_table("Clinical numbers (disc summation)", pairs, NOTES)]


def _rows(case: Case, found: np.ndarray | None) -> list[Row]:
    predicted = np.zeros_like(case.labels) if found is None else found
    masks, real = structures(predicted), structures(case.labels)
    volumes = [case.volumes(labels) for labels in (predicted, case.labels)]
    rows = []
    for name in masks:
        scores = mask_scores(masks[name], real[name], case.spacing)
        error = nan if found is None or name == "all" else volumes[0][name] - volumes[1][name]
        values = {**scores, "volume error ml": error}
        rows.append(
            Row(case.name, (case.phase, name), values, empty=int(is_missing(masks[name], real[name])))
        )
    return rows
