"""One table of all records, as CSV and Parquet, written row by row: it may be longer than memory."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from ..core.errors import InputError
from ..system.staging import staged_file
from .function import NUMBERS, function
from .quality import flags
from .records import CASES, read_record

TABLES = ("cohort.csv", "cohort.parquet")
BATCH = 1000
TEXT, NUMBER, WHOLE = "text", "number", "whole number"
COLUMNS = {
    "name": TEXT, "subject": TEXT, "phase": TEXT, "frame": TEXT, "status": TEXT, "cause": TEXT,
    **dict.fromkeys(NUMBERS, NUMBER), "source": TEXT, "lvc_ml": NUMBER, "lvm_ml": NUMBER, "rvc_ml": NUMBER,
    "flags": TEXT, "warnings": TEXT, "slices": WHOLE, "frames": WHOLE, "gap_mm": NUMBER, "method": TEXT,
    "device": TEXT, "seconds": NUMBER, "attempts": WHOLE, "input_sha256": TEXT, "labels_sha256": TEXT,
    "model_sha256": TEXT, "version": TEXT, "folder": TEXT,
}  # fmt: skip
"""Volumes and function are those of the subject, ``lvc_ml`` to ``rvc_ml`` of the case's own frame: of
several that at end-diastole, else the first. ``phase`` is the heart's: ED, ES, "ED and ES" where both were
reconstructed, "cycle" of a whole cine; empty where it is not known. ``frame`` was asked of a cine.
"""


def rows(output: Path) -> Iterator[dict]:
    """A row for every record in the cohort's folder ``output``, subject by subject."""
    cases = output / CASES
    for part in sorted(path for path in cases.iterdir() if path.is_dir()) if cases.is_dir() else ():
        found = []
        for folder in sorted(path for path in part.iterdir() if not path.name.startswith(".")):
            record = read_record(folder)
            if record is not None:
                found.append((record, folder.relative_to(output).as_posix()))
        found.sort(key=lambda item: (item[0]["subject"], item[0]["name"]))
        for _, group in groupby(found, key=lambda item: item[0]["subject"]):
            together = list(group)
            numbers = function(record for record, _ in together)
            for record, place in together:
                yield _row(record, place, numbers)


def _row(record: dict, folder: str, numbers: dict) -> dict:
    row = dict.fromkeys(COLUMNS)
    row |= {
        name: record[name]
        for name in ("name", "subject", "phase", "status", "seconds", "attempts", "version")
    }
    row |= {"frame": str(record["frame"]), "model_sha256": record["model_sha256"], "folder": folder}
    row["method"] = record["options"]["method"]
    if record["status"] != "done":
        return row | {"cause": record["error"]["message"]}
    made = record["result"]
    own = made["volumes"][made["ed"] or 0]
    return (
        row
        | numbers
        | {f"{name.lower()}_ml": own[name] for name in ("LVC", "LVM", "RVC")}
        | {
            "phase": _phase(record),
            "frame": None if made["input"]["frames"] == 1 else str(record["frame"]),
            "flags": "; ".join(flags(made, numbers)),
            "warnings": " ".join(made["warnings"]),
            "slices": made["input"]["slices"],
            "frames": made["input"]["frames"],
            "gap_mm": sum(made["input"]["gaps_mm"]) / len(made["input"]["gaps_mm"]),
            "device": made["device"],
            "input_sha256": record["input"]["sha256"],
            "labels_sha256": record["input"]["labels_sha256"],
        }
    )


def _phase(record: Mapping) -> str | None:
    """As told by the case's name or index, or found in the cine."""
    made = record["result"]
    found = [phase for phase in ("ED", "ES") if made[phase.lower()] is not None]
    if len(made["volumes"]) > 2:
        return "cycle"
    return record["phase"] or " and ".join(found) or None


def write_tables(output: Path, seen: Callable[[dict], None]) -> None:
    """Write the tables of the records in ``output``, whole or not at all. seen: told of each row.

    Raises InputError where pyarrow is missing or the files cannot be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InputError('The table needs more packages: pip install "dmcvr[cohort]".') from error
    kinds = {TEXT: pa.string(), NUMBER: pa.float64(), WHOLE: pa.int64()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    with ExitStack() as stack:
        text, parquet = (stack.enter_context(staged_file(output / name)) for name in TABLES)
        file = stack.enter_context(text.open("w", encoding="utf-8", newline=""))
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        table = stack.enter_context(pq.ParquetWriter(parquet, schema))
        batch: list[dict] = []
        for row in rows(output):
            writer.writerow({name: _cell(value) for name, value in row.items()})
            batch.append(row)
            if len(batch) == BATCH:
                table.write_table(pa.Table.from_pylist(batch, schema))
                batch = []
            seen(row)
        table.write_table(pa.Table.from_pylist(batch, schema))


def _cell(value: object) -> object:
    """Numbers to a thousandth; text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, float):
        return round(value, 3)
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
