"""Where stacks are found: in a folder of image files, a CSV index or a tree of DICOM files."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..core.errors import InputError
from ..evaluation.cases import PHASE
from ..io.headers import SUFFIXES
from ..io.labelled import ENDINGS
from .cases import Case, Frame, safe_name
from .dicomtree import dicom_cases

COLUMNS = ("path", "name", "subject", "phase", "labels", "frame")
"""What an index may hold; only ``path`` is needed."""
DRAWN = ("_gt", "_labels")
NO_STACK = {
    *("gt", "seg", "label", "labels", "mask", "truth"),
    *("lax", "la", "ao", "2ch", "3ch", "4ch", "rvot", "lvot", "scout", "localizer"),
}
"""Words in the names of files that are labels or other views."""
NO_RAW_DATA = ("derivatives", "sourcedata", "code")  # of a BIDS data set
BIDS_SUBJECT = re.compile(r"sub-[^_]+(_ses-[^_]+)?")
BIDS_PHASE = re.compile(r"[_-](ED|ES)(?=_|$)", re.IGNORECASE)


def find_stacks(source: Path) -> Iterator[Case]:
    """One case a stack of ``source``, in a fixed order, with the labels beside it.

    source: a folder of image files or, if it holds none, of DICOM files, at any depth; or a CSV index.
    Raises InputError.
    """
    source = Path(source).absolute()
    if source.is_dir():
        return _in_folder(source) if next(_volumes(source), None) else dicom_cases(source)
    if not source.exists():
        raise InputError("The input does not exist; give a folder or a CSV index.")
    if source.suffix.lower() not in (".csv", ".tsv"):
        raise InputError(
            "The input is neither a folder nor a CSV index; for one stack use dmcvr reconstruct."
        )
    return _in_index(source)


def subject_and_phase(name: str) -> tuple[str, str | None]:
    """Whose heart a name speaks of, and "ED", "ES" or None.

    NAME_ED and NAME_ES belong to NAME; names as of a BIDS data set, to their subject and session.
    """
    if bids := BIDS_SUBJECT.match(name):
        found = BIDS_PHASE.search(name)
        return bids[0], found and found[1].upper()
    found = PHASE.search(name)
    return PHASE.sub("", name), found and found[1].upper()


def _volumes(folder: Path) -> Iterator[Path]:
    """Image files in ``folder`` and below, folder by folder, sorted; hidden ones are passed over."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in NO_RAW_DATA)
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(place, name)


def _in_folder(folder: Path) -> Iterator[Case]:
    for path in _volumes(folder):
        stem = _stem(path)
        if path.name.lower().endswith(".seg.nrrd") or NO_STACK & set(re.split(r"[_\-. ]", stem.lower())):
            continue
        # patient001/patient001_4d and sub-01/anat/sub-01_cine say whose they are; patient001/sax does not.
        parents = path.relative_to(folder).parts[:-1]
        name = safe_name(stem if not parents or stem.startswith(parents[0]) else "_".join([*parents, stem]))
        subject, phase = subject_and_phase(name)
        drawn = (path.with_name(f"{stem}{mark}{ending}") for mark in DRAWN for ending in ENDINGS)
        labels = next((item for item in drawn if item.exists()), None)
        yield Case(name, subject, path, phase=phase, labels=labels)


def _stem(path: Path) -> str:
    ending = max((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), key=len, default="")
    return path.name[: len(path.name) - len(ending)]


def _in_index(index: Path) -> Iterator[Case]:
    try:
        with index.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t" if index.suffix.lower() == ".tsv" else ",")
            if "path" not in (rows.fieldnames or ()):
                raise InputError(f"The index has no column named path; it may have {', '.join(COLUMNS)}.")
            for row in rows:
                yield _from_row(row, index.parent, rows.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError("The index cannot be read; it must be a CSV file in UTF-8.") from error


def _from_row(row: dict, folder: Path, line: int) -> Case:
    """Paths count from the index's own ``folder``."""
    held = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not held["path"]:
        raise InputError(f"Line {line} of the index names no path.")
    path = folder / held["path"]
    name = safe_name(held["name"] or _stem(path))
    subject, phase = subject_and_phase(name)
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
