"""The record of a case, a JSON file that lies beside its results: what was made from what, or why it was not.

    {"format", "name", "subject", "phase", "frame", "status": "done" or "failed", "input", "model_sha256",
     "options", "keep", "files": {name: bytes}, "attempts", "seconds", "version",
     "result": what result.json of ``dmcvr reconstruct`` holds, "error": see ``failures.Failure``}

It holds no path or date, and no name but the case's. Where it lies, all that it lists lies there whole.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from .. import __version__
from ..model.bundle import file_hash
from ..output.files import FILES, NUMBERED
from ..output.record import input_hash
from ..system.staging import staged_folder
from ..system.untrusted import read_json
from .cases import Case, subject_hash
from .settings import KEEP, Settings

RECORD = "case.json"
PICTURE = "preview.jpg"
FORMAT = 1
CASE_FILES = (RECORD, PICTURE, *FILES)
"""Patterns of the names of all files of a case."""
CASES = "cases"
KEYS = {
    *("format", "name", "subject", "phase", "frame", "status", "input", "model_sha256", "options", "keep"),
    *("files", "attempts", "seconds", "version", "result", "error"),
}


def case_folder(output: Path, case: Case) -> Path:
    """Where a case's files lie: under one of 256 folders, so that none gets too many, a subject under one."""
    return output / CASES / subject_hash(case.subject)[:2] / case.name


def read_record(folder: Path) -> dict | None:
    """The record in a case's ``folder``; None where there is none of this format that can be read."""
    try:
        record = read_json(folder / RECORD)
    except (OSError, ValueError):  # none, or damaged: then the case is to be done
        return None
    return record if record.get("format") == FORMAT and record.keys() == KEYS else None


def is_recorded(path: Path) -> bool:
    """Whether a file in a case's folder is the cohort's: its record lists it, or there is no record, as
    where a run was killed, and the folder is the cohort's.
    """
    record = read_record(path.parent)
    return record is None or path.name == RECORD or path.name in record["files"]


def is_current(case: Case, settings: Settings, folder: Path) -> bool:
    """Whether ``folder`` holds the whole result of this very case: same input, model and options.

    Raises OSError or InputError where an input cannot be read.
    """
    record = read_record(folder)
    if record is None or record["status"] != "done":
        return False
    if record["options"] != _as_json(settings.identity(case)) or record["phase"] != case.phase:
        return False
    if record["model_sha256"] != settings.model_hash(case):
        return False
    if KEEP.index(record["keep"]) < KEEP.index(settings.keep):
        return False
    if any(not _has_size(folder / name, size) for name, size in record["files"].items()):
        return False
    held = record["input"]
    if settings.trust_times and held["stamp"] == input_stamp(case):
        return True
    return (held["sha256"], held["labels_sha256"]) == content_hashes(case)


def input_stamp(case: Case) -> str:
    """A hash of sizes and times of the input files: while it is the same, the files count as unchanged."""
    paths = [*case.inputs, *([case.labels] if case.labels is not None else [])]
    facts = [(found.st_size, found.st_mtime_ns) for found in (path.stat() for path in paths)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def content_hashes(case: Case) -> tuple[str, str | None]:
    """SHA-256 of the image and of the expert labels, as ``record.input_hash`` has them."""
    if case.files:
        hashes = sorted(map(file_hash, case.files))
        image = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    else:
        image = input_hash(case.path)
    return image, None if case.labels is None else input_hash(case.labels)


def make_case_record(case: Case, settings: Settings, attempts: int, seconds: float) -> dict:
    """What holds for a case however it ended; done is what has a ``result``, failed what has an ``error``."""
    return {
        "format": FORMAT,
        "name": case.name,
        "subject": case.subject,
        "phase": case.phase,
        "frame": case.frame,
        "status": "failed",
        "input": None,
        "model_sha256": settings.model_hash(case),
        "options": _as_json(settings.identity(case)),
        "keep": settings.keep,
        "files": {},
        "attempts": attempts,
        "seconds": round(seconds, 3),
        "version": __version__,
        "result": None,
        "error": None,
    }


def seal(staged: Path, folder: Path, record: dict) -> None:
    """Add the record to the files that lie ready in ``staged``, and clear their place of an earlier run's."""
    record["files"] = {path.name: path.stat().st_size for path in sorted(staged.iterdir())}
    (staged / RECORD).write_text(json.dumps(record) + "\n", encoding="utf-8")
    for pattern in CASE_FILES:
        for path in folder.glob(pattern):
            path.unlink()


def write_failure(case: Case, settings: Settings, record: dict, picture: bytes | None = None) -> None:
    """Put a failed case's ``record`` in the place of whatever was there. Raises InputError or OSError."""
    folder = case_folder(settings.output, case)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with staged_folder(folder, (NUMBERED,), RECORD, CASE_FILES, is_recorded) as staged:
        if picture is not None:
            (staged / PICTURE).write_bytes(picture)
        seal(staged, folder, record)


def _as_json(value: dict) -> dict:
    return json.loads(json.dumps(value))


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
