"""From scores case by case to the lines of a table.

A case (a stack, a patient, a phantom) counts once: the rows of one case in one line of the table, such as
its slices, are averaged first, and means and standard deviations are over cases. A score that does not exist,
nan, is left out of its mean; how many cases are left is the score's own count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, isnan, nan

import numpy as np

LIMITS_SD = 1.96
"""Half the width of the limits of agreement, in standard deviations (Bland and Altman 1986)."""


@dataclass(frozen=True)
class Column:
    """A score and how it is shown: as mean (sd), or as bias [limits of agreement] where ``agreement``.

    drawn: what the figures call it on their axis, empty where they do not show it; of a table without any
    such column they show all.
    """

    name: str
    digits: int = 3
    agreement: bool = False
    drawn: str = ""


@dataclass(frozen=True)
class Row:
    """Scores of one case, or of one slice of it, in one line of the table.

    group: what the line stands for, such as (method, structure). values: by column name, nan where a score
    does not exist; what is left out does not exist either. empty: masks that were empty on one side only.
    """

    case: str
    group: tuple[str, ...]
    values: dict[str, float]
    empty: int = 0


@dataclass(frozen=True)
class Table:
    """A table's definition and its rows.

    keys: what the entries of a row's group are. overall: the first entry of further lines, each over all
    groups that differ in nothing but their first entry, such as both phases of one structure; without it
    there are none.
    """

    title: str
    keys: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    overall: str = ""


@dataclass(frozen=True)
class Cell:
    """Mean and sample standard deviation (nan below two cases) over ``cases`` cases that have the score."""

    mean: float
    sd: float
    cases: int


@dataclass(frozen=True)
class Line:
    """One line of a table: the cells by column name, over ``cases`` cases; ``empty`` masks in all."""

    group: tuple[str, ...]
    cells: dict[str, Cell]
    cases: int
    empty: int


def summarise(table: Table) -> list[Line]:
    """The lines of a table, in the order in which their groups first appear, those over all groups last."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in table.rows:
        groups.setdefault(row.group, []).append(row)
    if table.overall and len({group[0] for group in groups}) > 1:
        for row in table.rows:
            groups.setdefault((table.overall, *row.group[1:]), []).append(row)
    return [
        Line(
            group,
            {column.name: cell(rows, column.name) for column in table.columns},
            len({row.case for row in rows}),
            sum(row.empty for row in rows),
        )
        for group, rows in groups.items()
    ]


def by_structure(rows: list[Row]) -> tuple[Row, ...]:
    """Rows sorted by the first entry of their group in the order in which it first appears, so that all
    methods of one structure stand together.
    """
    order = list(dict.fromkeys(row.group[0] for row in rows))
    return tuple(sorted(rows, key=lambda row: order.index(row.group[0])))


def case_means(rows: Iterable[Row], name: str) -> dict[str, float]:
    """Each case's mean of the score ``name`` over its ``rows``; cases without that score are left out."""
    by_case: dict[str, list[float]] = {}
    for row in rows:
        value = row.values.get(name, nan)
        if not isnan(value):
            by_case.setdefault(row.case, []).append(value)
    return {case: float(np.mean(values)) for case, values in by_case.items()}


def cell(rows: list[Row], name: str) -> Cell:
    """The score ``name`` over the cases in ``rows``."""
    means = list(case_means(rows, name).values())
    if not means:
        return Cell(nan, nan, 0)
    spread = len(means) > 1 and all(isfinite(mean) for mean in means)
    return Cell(float(np.mean(means)), float(np.std(means, ddof=1)) if spread else nan, len(means))


def markdown(table: Table) -> str:
    """The table as GitHub-flavoured Markdown, its title above and its notes below."""
    names = [*table.keys, *(column.name for column in table.columns), "cases", "empty masks"]
    ruler = ["---"] * len(table.keys) + ["---:"] * (len(names) - len(table.keys))
    lines = [names, ruler]
    for line in summarise(table):
        cells = [_text(line.cells[column.name], column, line.cases) for column in table.columns]
        lines.append([*line.group, *cells, str(line.cases), str(line.empty)])
    text = [f"### {table.title}", "", *(f"| {' | '.join(cells)} |" for cells in lines), ""]
    return "\n".join(text + [f"- {note}" for note in table.notes]) + "\n"


def _text(cell: Cell, column: Column, cases: int) -> str:
    """The cell as printed, with its own count where it rests on fewer cases than the line."""
    if not cell.cases:
        return "-"
    mean = f"{cell.mean:+.{column.digits}f}" if column.agreement else f"{cell.mean:.{column.digits}f}"
    if isnan(cell.sd):
        spread = ""
    elif column.agreement:
        low, high = (cell.mean + side * LIMITS_SD * cell.sd for side in (-1, 1))
        spread = f" [{low:.{column.digits}f}, {high:.{column.digits}f}]"
    else:
        spread = f" ({cell.sd:.{column.digits}f})"
    return mean + spread + ("" if cell.cases == cases else f", n = {cell.cases}")


def as_dict(table: Table) -> dict:
    """The table as JSON holds it: every row, and the summary. What is not a finite number is None."""
    return {
        "title": table.title,
        "notes": list(table.notes),
        "summary": [
            {
                **dict(zip(table.keys, line.group, strict=True)),
                "cases": line.cases,
                "empty_masks": line.empty,
                "scores": {name: _cell_dict(cell) for name, cell in line.cells.items()},
            }
            for line in summarise(table)
        ],
        "rows": [
            {
                "case": row.case,
                **dict(zip(table.keys, row.group, strict=True)),
                "empty_masks": row.empty,
                "scores": {name: _number(value) for name, value in row.values.items()},
            }
            for row in table.rows
        ],
    }


def _cell_dict(cell: Cell) -> dict:
    low, high = (cell.mean + side * LIMITS_SD * cell.sd for side in (-1, 1))
    numbers = {"mean": cell.mean, "sd": cell.sd, "limits_low": low, "limits_high": high}
    return {**{name: _number(value) for name, value in numbers.items()}, "cases": cell.cases}


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None
