"""``dmcvr evaluate``: the tables that every published number comes from, and their figures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ... import __version__
from ...evaluation.figures.drawing import HINT, can_draw, write_drawings
from ...evaluation.summary import Table, as_dict, markdown
from ...model.device import describe
from ...model.inference import Model
from ...reconstruction.options import check_deeprecon
from ...system.staging import check_apart, staged_folder
from ..progress_bar import show_progress
from .evaluations import EVALUATIONS, Evaluation, command_line
from .whole_evaluations import WHOLE_EVALUATIONS


def run(arguments: argparse.Namespace) -> None:
    """Fill one table, print it, write it."""
    evaluation = (EVALUATIONS | WHOLE_EVALUATIONS)[arguments.table](arguments)
    if arguments.output is None:
        _write(None, arguments, evaluation)
        return
    pictures = f"{arguments.table}-*.png"
    names = [*(f"{arguments.table}.{suffix}" for suffix in ("json", "md")), pictures]
    check_apart(arguments.output, evaluation.inputs, names)
    with staged_folder(arguments.output, (pictures,), names=names) as folder:
        _write(folder, arguments, evaluation)


def _write(folder: Path | None, arguments: argparse.Namespace, evaluation: Evaluation) -> None:
    """Evaluate, write JSON, Markdown and figures into ``folder`` if there is one, and print."""
    model = _model(arguments) if evaluation.needs_model else None
    figures: dict[str, str] = {}
    with show_progress(as_json=False) as progress:
        outcome = evaluation.fill(model, progress)
        if folder is not None and can_draw():
            try:
                figures = write_drawings(folder, arguments.table, outcome.drawings(progress))
            except BaseException:
                # The tables may have taken hours: what ends the drawing does not take them along.
                record = _record(arguments, model, evaluation, outcome.tables, figures)
                _tell(arguments, record, _page(record, outcome.tables, ""))
                raise
    record = _record(arguments, model, evaluation, outcome.tables, figures)
    text = _page(record, outcome.tables, "" if folder is None or can_draw() else HINT)
    if folder is not None:
        path = folder / f"{arguments.table}.json"
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        path.with_suffix(".md").write_text(text, encoding="utf-8", errors="backslashreplace")
    _tell(arguments, record, text)


def _model(arguments: argparse.Namespace) -> Model:
    """The model, with that of deeprecon where this is compared. Raises InputError where one is missing."""
    folder, methods = vars(arguments).get("deeprecon_model"), vars(arguments).get("methods", ())
    check_deeprecon(methods, folder, "--deeprecon-model")
    own = folder if "deeprecon" in methods else None
    return Model.load(arguments.model, arguments.device, arguments.precision, deeprecon=own)


def _tell(arguments: argparse.Namespace, record: dict, text: str) -> None:
    print(json.dumps(record) if arguments.json else text, end="\n" if arguments.json else "", flush=True)


def _record(
    arguments: argparse.Namespace,
    model: Model | None,
    evaluation: Evaluation,
    tables: list[Table],
    figures: dict[str, str],
) -> dict:
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
        "cases": evaluation.count,
        "empty_masks": sum(row.empty for table in tables for row in table.rows),
        "tables": [as_dict(table) for table in tables],
        "figures": figures,
    }


def _page(record: dict, tables: list[Table], hint: str) -> str:
    """The run as Markdown. hint: why there are no figures, where that has to be said."""
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
    parts = [markdown(table) for table in tables]
    if record["figures"]:
        shown = [f"![{name}]({name})\n\n{caption}\n" for name, caption in record["figures"].items()]
        parts.append("### Figures\n\n" + "\n".join(shown))
    elif hint:
        parts.append(f"{hint}\n")
    return "\n".join(head) + "\n".join(parts)
