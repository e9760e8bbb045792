"""One reconstruction in a process of its own: the contract between that process and whoever waits for it.

A job is a private folder that holds ``job.json`` and the files it names. ``dmcvr job FOLDER`` runs it: it is
``dmcvr reconstruct --json`` with its options in a file, so results, checks and exit codes are the same (0
done, 1 fault, 2 bad input, 130 cancelled). With the task "segment" it only labels the acquired slices, in the
frames that the options name. On standard output it prints one JSON object a line:

- ``{"stage": "segment", "done": 3, "total": 13}`` while it runs, the first, "load", at once;
- ``{"output": ..., "result": {...}}`` at the end, the results then lying in ``FOLDER/result``: of a
  segmentation, ``labels.nrrd`` with (T, S, H, W) labels, and in this line the ``frames`` that were
  labelled;
- ``{"error": "A plain sentence.", "kind": ...}`` if it fails, with one of the kinds of ``KINDS``.

To cancel it, end the process and its children. It also ends by itself, and removes its folder, once nobody
reads its standard output any more: then who started it has crashed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ..core.errors import InputError
from ..reconstruction.options import ModelChoice, Options
from ..system.untrusted import lies_inside, read_json

JOB_FILE = "job.json"
OUTPUT = "result"
LABELS = "labels.nrrd"  # among the results of a segmentation
FORMAT = 3
TASKS = ("reconstruct", "segment")
KINDS = ("input", "memory", "disk", "cancelled", "fault")


@dataclass(frozen=True)
class Job:
    """A reconstruction, or a segmentation, to be made in a folder.

    input, labels, lax: names of files in the job's folder: the image and, if there are any, an expert's
    labels, and long-axis images. task: one of TASKS; a segmentation takes no other files than the image.
    """

    input: str
    options: Options = Options()
    model: ModelChoice = ModelChoice()
    labels: str | None = None
    lax: tuple[str, ...] = ()
    task: str = "reconstruct"


def write_job(folder: Path, job: Job) -> None:
    """Write ``job`` into its ``folder``, which must hold the files it names."""
    text = json.dumps({"format": FORMAT, **asdict(job)}, indent=1) + "\n"
    (Path(folder) / JOB_FILE).write_text(text, encoding="utf-8")


def read_job(folder: Path) -> Job:
    """The job in ``folder``. Raises InputError where there is none that this version understands."""
    folder = Path(folder)
    try:
        held = read_json(folder / JOB_FILE)
    except (OSError, ValueError) as error:
        raise InputError("The job folder holds no readable job.json.") from error
    if held.pop("format", None) != FORMAT:
        raise InputError(f"The job file is not of format {FORMAT}; use the same version on both sides.")
    known = {field.name for field in fields(Job)}
    if unknown := sorted(held.keys() - known):
        raise InputError(f"The job file asks for what this version does not know: {', '.join(unknown)}.")
    if not isinstance(held.get("input"), str):
        raise InputError("The job file names no input.")
    lax, task = held.get("lax", []), held.get("task", TASKS[0])
    if not isinstance(lax, list) or task not in TASKS:
        raise InputError("The job file's long-axis images are not a list, or its task is unknown.")
    named = [held["input"], *([] if held.get("labels") is None else [held["labels"]]), *lax, OUTPUT]
    if not all(lies_inside(folder, name) for name in named):
        raise InputError("A job's files must lie in its own folder.")
    options, model = held.get("options", {}), held.get("model", {})
    if not isinstance(options, dict) or not isinstance(model, dict):
        raise InputError("The job file's options are not a table.")
    return Job(
        held["input"],
        Options.from_json(options),
        ModelChoice.from_json(model),
        held.get("labels"),
        tuple(lax),
        task,
    )


def read_line(text: str) -> dict | None:
    """The message in a line of a job's standard output; None for others, as a library's notices."""
    try:
        message = json.loads(text)
    except ValueError:
        return None
    if isinstance(message, Mapping) and message.keys() & {"stage", "output", "error"}:
        return dict(message)
    return None
