"""What putting slices in register gives or costs, heart by heart: no heart may become worse by it."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.labels import NAMES
from .summary import Column, Row, Table

UNCORRECTED = "nothing"
COLUMNS = tuple(Column(f"Dice gain {name}", agreement=True) for name in NAMES.values())
NOTES = ("Dice of the same heart and method, minus that of slices that were put in register by nothing.",)


def gain_table(shapes: Iterable[Row]) -> Table | None:
    """A line each for every heart, by what its slices were put in register by; None where nothing is known
    without.

    shapes: with "Dice", their groups (structure, labels, shifts from, method).
    """
    dice = {(row.case, *row.group): row.values["Dice"] for row in shapes}
    gains: dict[tuple[str, ...], dict[str, float]] = {}
    for (case, structure, drawn, source, method), value in dice.items():
        before = dice.get((case, structure, drawn, UNCORRECTED, method))
        if before is not None and source != UNCORRECTED:
            own = gains.setdefault((case, drawn, source, method), {})
            own[f"Dice gain {structure}"] = value - before
    if not gains:
        return None
    rows = tuple(Row(group[0], group, values) for group, values in gains.items())
    return Table("Gain, heart by heart", ("heart", "labels", "shifts from", "method"), COLUMNS, rows, NOTES)
