"""An index of stacks: a CSV file, one a row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from ..core.errors import InputError
from .cases import Case, Frame, safe_name

COLUMNS = ("path", "name", "subject", "phase", "labels", "frame")
"""What an index may hold; only ``path`` is needed."""
Told = Callable[[str], tuple[str, str | None]]


def cases_of_index(index: Path, told: Told, stem: Callable[[Path], str]) -> Iterator[Case]:
    """One case a row. told: whose heart a name speaks of, and the phase. stem: the name that a path gives a
    case. Raises InputError.
    """
    try:
        with index.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t" if index.suffix.lower() == ".tsv" else ",")
            if "path" not in (rows.fieldnames or ()):
                raise InputError(f"The index has no column named path; it may have {', '.join(COLUMNS)}.")
            for row in rows:
                yield _from_row(row, index.parent, rows.line_num, told, stem)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError("The index cannot be read; it must be a CSV file in UTF-8.") from error


def _from_row(
    row: dict[str, str | None], folder: Path, line: int, told: Told, stem: Callable[[Path], str]
) -> Case:
    """Paths count from the index's own ``folder``."""
    held = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not held["path"]:
        raise InputError(f"Line {line} of the index names no path.")
    path = folder / held["path"]
    name = safe_name(held["name"] or stem(path))
    subject, phase = told(name)
    if held["phase"]:
        phase = held["phase"].upper()
        if phase not in ("ED", "ES"):
            raise InputError(f"Line {line} of the index: the phase must be ED, ES or empty.")
    return Case(
        name,
        held["subject"] or subject,
        path,
        frame=_frame(held["frame"], line) if held["frame"] else None,
        phase=phase,
        labels=folder / held["labels"] if held["labels"] else None,
    )


def _frame(text: str, line: int) -> Frame:
    if text.lower() in ("ed", "es", "all"):
        return text.lower()
    if not text.isdecimal():
        raise InputError(f"Line {line} of the index: the frame must be ed, es, all or a number from 0.")
    return int(text)
