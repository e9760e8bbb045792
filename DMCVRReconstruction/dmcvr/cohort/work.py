"""One case from its files to its results: the same function on a worker and in a job array."""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from ..core.errors import InputError, StorageError
from ..core.stack import Stack
from ..io.image_writer import write_frames
from ..io.inputs import read_input
from ..model.inference import Model
from ..output.files import NUMBERED, write_reconstruction
from ..output.files import RECORD as RESULT
from ..output.record import RunRecord, make_record
from ..reconstruction.models import load_model
from ..reconstruction.options import ModelChoice, Options
from ..reconstruction.pipeline import reconstruct
from ..reconstruction.result import Reconstruction
from ..system.privatefolder import living, private_folder
from ..system.staging import HIDDEN, staged_folder
from .cases import Case
from .failures import Failure, explain
from .outcome import Outcome
from .preview import picture_of_result, picture_of_stack
from .records import (
    CASE_FILES,
    PICTURE,
    RECORD,
    case_folder,
    content_hashes,
    input_stamp,
    is_current,
    is_recorded,
    make_case_record,
    seal,
    write_failure,
)
from .settings import Settings

FIRST_PAUSE_S = 0.5


@dataclass
class Attempt:
    """Number, from 1, of an attempt; when the case was begun; and the stack, once it has been read."""

    number: int
    started: float
    stack: Stack | None = None

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started


def run_case(case: Case, settings: Settings) -> Outcome:
    """Do ``case`` unless its result stands already, and leave a record of how it ended. Never raises for what
    is wrong with the case or the machine; transient faults are tried again.
    """
    folder = case_folder(settings.output, case)
    started = time.perf_counter()
    for number in range(1, settings.retries + 2):
        attempt = Attempt(number, started)
        try:
            if _may_skip(case, settings, folder):
                return Outcome(case.name, "skipped")
            _make(case, settings, folder, attempt)
            return Outcome(case.name, "done", attempt.seconds)
        except Exception as error:
            failure = explain(error, case, settings)
        if not failure.transient or number > settings.retries:
            break
        _free_memory()
        time.sleep(FIRST_PAUSE_S * 4 ** (number - 1))
    return _give_up(case, settings, folder, attempt, failure)


def _may_skip(case: Case, settings: Settings, folder: Path) -> bool:
    living(folder, HIDDEN)  # removes what a process that was killed while it redid the case has left
    # An input that is gone is for the reader to complain of.
    return os.path.exists(case.path) and is_current(case, settings, folder)


def _make(case: Case, settings: Settings, folder: Path, attempt: Attempt) -> None:
    """Reconstruct ``case`` and put its files and its record in place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with staged_folder(folder, (NUMBERED,), RECORD, CASE_FILES, is_recorded) as staged:
        begun = time.perf_counter()
        stamp = input_stamp(case) if os.path.exists(case.path) else ""
        with gathered(case, folder.parent) as path:
            given = read_input(path, labels=case.labels, label_values=settings.label_values)
        stack = attempt.stack = given.stack
        hashes = content_hashes(case)
        seconds = {"read": time.perf_counter() - begun}
        if case.of_cine and len(stack.frames) == 1:
            raise InputError(
                "The stack has one frame only, so it cannot give several; run still images with one --frame."
            )
        model = None
        if settings.needs_model(case):
            begun = time.perf_counter()
            model = load_once(settings.options, settings.model)
            seconds["load model"] = time.perf_counter() - begun
        options = settings.options_of(case)
        result = reconstruct(stack, model, options, labels=given.labels, lax=given.lax)
        made = make_record(result, options, model, hashes, given, seconds | result.seconds)
        begun = time.perf_counter()
        _write(staged, result, made, given.lax, settings.keep)
        written = round(time.perf_counter() - begun, 3)
        made = replace(made, seconds={**made.seconds, "write": written})
        record = make_case_record(case, settings, attempt.number, attempt.seconds)
        record["status"], record["result"] = "done", made.to_json()
        record["input"] = {"sha256": hashes[0], "labels_sha256": hashes[1], "stamp": stamp}
        seal(staged, folder, record)


def _write(staged: Path, result: Reconstruction, made: RunRecord, lax: tuple[Stack, ...], keep: str) -> None:
    """What is to be kept of a result, and its picture."""
    if keep == "volumes":
        write_reconstruction(staged, result, made, lax)
        (staged / RESULT).unlink()  # the case's record holds it
    elif keep == "labels":
        write_frames(staged / "labels.nrrd", result.labels, result.grid, result.stack.times, labels=True)
    (staged / PICTURE).write_bytes(picture_of_result(result))


@contextmanager
def gathered(case: Case, place: Path) -> Iterator[Path]:
    """The case's path; where it is only some of a folder's files, a folder of just these in ``place``."""
    if not case.files:
        yield case.path
        return
    with private_folder(place, HIDDEN) as folder:
        links = folder / "files"
        links.mkdir()
        for number, path in enumerate(case.files):
            link = links / f"{number:06d}"
            if hasattr(os, "symlink") and os.name != "nt":
                link.symlink_to(path)
            else:  # Windows lets few users make links
                shutil.copyfile(path, link)
        yield links


@lru_cache(maxsize=1)
def load_once(options: Options, choice: ModelChoice) -> Model:
    """The model of a cohort, read once a process."""
    return load_model(options, choice)


def _give_up(case: Case, settings: Settings, folder: Path, attempt: Attempt, failure: Failure) -> Outcome:
    """Record the failure. Results of an input that is only out of reach, as on an unmounted disk, stay."""
    unrecorded = Outcome(case.name, "failed", attempt.seconds, failure.message, recorded=False)
    if not os.path.exists(case.path) and (folder / RECORD).exists():
        return unrecorded
    record = make_case_record(case, settings, attempt.number, attempt.seconds)
    record["error"] = failure.as_dict()
    picture = None if attempt.stack is None else picture_of_stack(attempt.stack)
    try:
        write_failure(case, settings, record, picture)
    except (OSError, InputError, StorageError):  # the disk is full or gone, which the driver then tells
        return unrecorded
    return Outcome(case.name, "failed", attempt.seconds, failure.message)


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
