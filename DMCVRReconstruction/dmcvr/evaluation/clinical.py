"""Table 5: clinical numbers from the 3D reconstruction against those from the stack by disc summation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..model.inference import Model
from .agreement import Volumes, agreement_table
from .cases import Case
from .methods import Comparison, reconstructions
from .summary import Table

STACK = "disc summation"
NOTES = (
    "Reference: the experts' labels of the acquired slices, by summation of discs. Measured: the voxels of "
    "the reconstruction. Differences are measured minus reference.",
    "A disc of the first or last slice reaches half a gap beyond it, where only methods that complete the "
    "heart draw anything.",
    "Ejection fractions are of patients with both phases; the mass is that at end-diastole.",
)


def clinical_tables(
    cases: Iterable[Case],
    model: Model | None,
    comparison: Comparison,
    done: Callable[[], None] = lambda: None,
) -> list[Table]:
    """Agreement of every method's volumes, ejection fractions and mass with the stack's.

    With predicted labels, the line "disc summation" tells the segmenter's share of the differences from the
    reconstruction's. A stack in which no heart was found is left out and counted. done: called after each
    case.
    """
    pairs: dict[tuple[str, str], dict[str, tuple[Volumes, Volumes]]] = {}
    missed, count = set(), 0
    for case in cases:
        reference = case.volumes(case.labels)
        for method, result in reconstructions(case.stack, case.labels, model, comparison):
            if result is None:
                missed.add(case.name)
                continue
            measured = {method: result.volumes[0]}
            if comparison.predicted_labels:
                measured = {STACK: result.stack_volumes[0], **measured}
            for name, volumes in measured.items():
                pairs.setdefault((case.patient, name), {})[case.phase] = (volumes, reference)
        count += 1
        done()
    missed_note = f"No heart was found in {len(missed)} of {count} stacks; these are left out."
    return [agreement_table("Clinical numbers", pairs, (*NOTES, *comparison.notes, missed_note))]
