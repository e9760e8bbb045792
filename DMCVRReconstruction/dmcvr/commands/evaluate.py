"""``dmcvr evaluate``: the tables that every published number comes from."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable, Sized
from pathlib import Path

from .. import __version__
from ..device import describe
from ..evaluation.cases import DataFolder
from ..evaluation.generation import generation_tables
from ..evaluation.long_axis import Phantoms, long_axis_tables
from ..evaluation.methods import Comparison
from ..evaluation.segmentation import segmentation_tables
from ..evaluation.summary import Table, as_dict, markdown
from ..evaluation.withheld import withheld_tables
from ..model import Model
from ..progress import show_progress
from ..shapemodel import HeldBackHearts
from ..staging import check_apart, staged_folder


def run(arguments: argparse.Namespace) -> None:
    """Fill one table, print it, write it."""
    cases = _cases(arguments)
    count = len(cases)
    if arguments.output is not None:
        inputs = [path for path in map(vars(arguments).get, ("data", "hearts")) if path is not None]
        check_apart(arguments.output, inputs, [f"{arguments.table}.{suffix}" for suffix in ("json", "md")])
        with staged_folder(arguments.output) as folder:
            _write(folder, arguments, cases, count)
    else:
        _write(None, arguments, cases, count)


def _write(folder: Path | None, arguments: argparse.Namespace, cases: Sized, count: int) -> None:
    """Evaluate, write JSON and Markdown into ``folder`` if there is one, and print."""
    model = None
    if arguments.table in ("segmentation", "generation") or _comparison(arguments).needs_model:
        model = Model.load(arguments.model, arguments.device, arguments.precision)
    with show_progress(as_json=False) as progress:
        finished = 0

        def done() -> None:
            nonlocal finished
            finished += 1
            progress("evaluate", finished, count)

        tables = _tables(arguments, cases, model, done)
    record = _record(arguments, model, count, tables)
    text = _page(record, tables)
    if folder is not None:
        path = folder / f"{arguments.table}.json"
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(json.dumps(record) if arguments.json else text, end="\n" if arguments.json else "", flush=True)


def _cases(arguments: argparse.Namespace) -> DataFolder | Phantoms | HeldBackHearts:
    if arguments.table == "long-axis":
        if arguments.hearts is not None:
            return HeldBackHearts(arguments.hearts, arguments.heart_count)
        return Phantoms(arguments.phantoms)
    return DataFolder(arguments.data, arguments.label_values, arguments.cases)


def _comparison(arguments: argparse.Namespace) -> Comparison:
    return Comparison(arguments.methods, arguments.predicted_labels, arguments.steps)


def _tables(
    arguments: argparse.Namespace,
    cases: DataFolder | Phantoms | HeldBackHearts,
    model: Model | None,
    done: Callable[[], None],
) -> list[Table]:
    if arguments.table == "segmentation":
        return segmentation_tables(cases, model, done)
    if arguments.table == "generation":
        return generation_tables(cases, model, arguments.methods, arguments.steps, done)
    make = withheld_tables if arguments.table == "withheld" else long_axis_tables
    return make(cases, model, _comparison(arguments), done)


def _record(arguments: argparse.Namespace, model: Model | None, count: int, tables: list[Table]) -> dict:
    """All there is to say about a run, as JSON holds it."""
    facts = None
    if model is not None:
        facts = {
            "name": model.card["name"],
            "sha256": model.sha256,
            "device": describe(model.device),
            "precision": model.precision,
        }
    return {
        "command": command_line(arguments),
        "version": __version__,
        "model": facts,
        "cases": count,
        "empty_masks": sum(row.empty for table in tables for row in table.rows),
        "tables": [as_dict(table) for table in tables],
    }


def command_line(arguments: argparse.Namespace) -> str:
    """The command that gives the same numbers; of folders the last name only, as paths tell of people."""
    words = ["dmcvr", "evaluate", arguments.table]
    made = ("hearts", "heart_count") if getattr(arguments, "hearts", None) else ("phantoms",)
    for name in ("data", "label_values", "cases", *made, "methods", "steps", "model", "precision"):
        value = getattr(arguments, name, None)
        if value is None or value == "":
            continue
        if isinstance(value, tuple):
            value = ",".join(str(item) for item in value)
        elif isinstance(value, Path):
            value = value.resolve().name
        words += [f"--{name.replace('_', '-')}", str(value)]
    if getattr(arguments, "predicted_labels", False):
        words.append("--predicted-labels")
    return shlex.join(words)


def _page(record: dict, tables: list[Table]) -> str:
    """The run as Markdown."""
    model = record["model"]
    used = f"{model['name']}, SHA-256 {model['sha256']}, {model['precision']}" if model else "none needed"
    head = [
        f"Command: `{record['command']}`  ",
        f"Version: {record['version']}  ",
        f"Model: {used}  ",
        f"Cases: {record['cases']}  ",
        f"Masks empty on one side only, counted and not skipped: {record['empty_masks']}  ",
        "Mean (standard deviation) over cases, or bias [95 % limits of agreement].",
        "",
        "",
    ]
    return "\n".join(head) + "\n".join(markdown(table) for table in tables)
