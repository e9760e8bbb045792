"""Clinical numbers by one way of measuring against those by another, as Bland and Altman (1986) compare them.

The numbers are those of a clinical report: end-diastolic and end-systolic volume (EDV, ESV), ejection
fraction (EF) of either ventricle, and the mass of the left one at end-diastole.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..anatomy.function import ejection_fraction, mass_g
from .summary import Column, Row, Table

Volumes = Mapping[str, float]
"""ml by structure: LVC, LVM, RVC."""

COLUMNS = (
    Column("reference", 1),
    Column("measured", 1),
    Column("difference", 1, agreement=True),
    Column("absolute difference", 1),
)
VENTRICLES = {"LV": "LVC", "RV": "RVC"}
VOLUME_NAMES = {"ED": "EDV", "ES": "ESV", "unknown": "volume"}
NUMBERS = (
    *(f"{ventricle} {name}" for ventricle in VENTRICLES for name in ("EDV, ml", "ESV, ml", "EF, %")),
    "LV mass, g",
    *(f"{ventricle} volume, ml" for ventricle in VENTRICLES),
)
"""The numbers in the order in which tables and figures show them; "volume" is that of an unknown phase."""


def clinical_numbers(phases: Mapping[str, Volumes]) -> dict[str, float]:
    """The clinical numbers of one patient, by the names in NUMBERS, as far as the phases allow.

    phases: volumes by "ED", "ES" or "unknown". An EF needs both phases and a volume at end-diastole.
    """
    numbers = {
        f"{ventricle} {VOLUME_NAMES[phase]}, ml": volumes[cavity]
        for phase, volumes in phases.items()
        for ventricle, cavity in VENTRICLES.items()
    }
    for ventricle, cavity in VENTRICLES.items():
        if {"ED", "ES"} <= phases.keys() and phases["ED"][cavity] > 0:
            numbers[f"{ventricle} EF, %"] = ejection_fraction(phases["ED"][cavity], phases["ES"][cavity])
    if resting := phases.get("ED", phases.get("unknown")):
        numbers["LV mass, g"] = mass_g(resting["LVM"])
    return numbers


def agreement_table(
    title: str,
    pairs: Mapping[tuple[str, str], Mapping[str, tuple[Volumes, Volumes]]],
    notes: tuple[str, ...],
) -> Table:
    """Differences, measured minus reference, of the clinical numbers by number and method.

    pairs: by (patient, method), then by phase: measured and reference volumes.
    """
    rows = []
    for (patient, method), phases in pairs.items():
        measured, reference = (
            clinical_numbers({phase: both[side] for phase, both in phases.items()}) for side in (0, 1)
        )
        for number in (name for name in NUMBERS if name in measured and name in reference):
            difference = measured[number] - reference[number]
            values = {
                "reference": reference[number],
                "measured": measured[number],
                "difference": difference,
                "absolute difference": abs(difference),
            }
            rows.append(Row(patient, (number, method), values))
    rows.sort(key=lambda row: NUMBERS.index(row.group[0]))
    return Table(title, ("number", "method"), COLUMNS, tuple(rows), notes)


def is_agreement(table: Table) -> bool:
    """Whether the table compares two ways of measuring the same."""
    return table.columns == COLUMNS
