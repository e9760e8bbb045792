"""Running a job of the backend without blocking the main thread.

A thread writes the job, starts the process and reads its output; the main thread polls for messages, in
Slicer by a timer. Only the main thread touches MRML and Qt. Files are exchanged in a private folder, which is
removed at the end: by the process if Slicer is killed, and by the next run if both are.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dmcvr.cli.job_file import OUTPUT, Job, read_line, write_job
from dmcvr.core.errors import CancelledError, InputError
from dmcvr.system.privatefolder import private_folder
from slicer.i18n import tr as _

from .backend_process import END_SECONDS, endTree, startBackend
from .errors import WorkerError
from .option_titles import withTitles

PREFIX = "dmcvr-"  # of the private folders in the system's folder for temporary files
LAST_LINES = 200


@dataclass(frozen=True)
class ProgressMessage:
    """``done`` of ``total`` steps of ``stage``."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class FinishedMessage:
    """The end of the job: ``value`` is what was read from its result, ``error`` why there is none."""

    value: object = None
    error: Exception | None = None


class Worker:
    """One job, from the writing of its files to the reading of its result.

    prepare: writes the input files into the folder it is given and returns the job. read: takes the folder
    of the results and their record, and returns the value of the ``FinishedMessage``. Both run in the thread:
    they may be slow but must not touch MRML or Qt.
    """

    def __init__(self, prepare: Callable[[Path], Job], read: Callable[[Path, dict], object]):
        self._prepare, self._read = prepare, read
        self._messages: queue.SimpleQueue = queue.SimpleQueue()
        self._log: deque[str] = deque(maxlen=LAST_LINES)
        self._process: subprocess.Popen | None = None
        self._lock = threading.Lock()
        self._cancelled = False
        self._thread = threading.Thread(target=self._run, name="DMCVR worker", daemon=True)

    def start(self) -> None:
        """Start the thread; returns at once."""
        self._thread.start()

    def messages(self, timeout: float | None = None) -> Iterator[ProgressMessage | FinishedMessage]:
        """The messages since the last call; waits up to ``timeout`` seconds for the first one."""
        with contextlib.suppress(queue.Empty):
            if timeout is not None:
                yield self._messages.get(timeout=timeout)
            while True:
                yield self._messages.get_nowait()

    def cancel(self) -> None:
        """End the process and its children; returns at once. A ``FinishedMessage`` follows."""
        with self._lock:
            self._cancelled = True
            process = self._process
        if process is not None:
            threading.Thread(target=endTree, args=(process,), name="DMCVR cancel", daemon=True).start()

    @property
    def log(self) -> str:
        """The last lines that the process printed on stdout and stderr, and the traceback of a fault."""
        return "\n".join(self._log)

    @property
    def processID(self) -> int | None:
        """Of the process, once it runs."""
        return self._process.pid if self._process is not None else None

    def _run(self) -> None:
        try:
            with private_folder(tempfile.gettempdir(), PREFIX) as folder:
                finished = FinishedMessage(self._work(folder))
        except OSError as error:
            finished = FinishedMessage(error=diskError(str(error)))
        except Exception as error:  # raised again by whoever asks for the result
            finished = FinishedMessage(error=error)
        self._messages.put(finished)

    def _work(self, folder: Path) -> object:
        write_job(folder, self._prepare(folder))
        process = self._launch(folder)
        errors = threading.Thread(
            target=self._log.extend, args=(map(str.rstrip, process.stderr),), daemon=True
        )
        errors.start()
        outcome: dict = {}
        for line in process.stdout:
            message = read_line(line)
            if message is None:
                self._log.append(line.rstrip())
            elif "stage" in message:
                self._messages.put(ProgressMessage(message["stage"], message["done"], message["total"]))
            else:
                outcome = message
        code = process.wait()
        errors.join(timeout=END_SECONDS)
        for pipe in (process.stdout, process.stderr):
            pipe.close()
        if detail := outcome.get("detail"):
            self._log.extend(detail.splitlines())
        if self._cancelled or code == 130:
            raise CancelledError(_("The computation was cancelled; the scene is unchanged."))
        if code == 0 and "result" in outcome:
            try:
                return self._read(folder / OUTPUT, outcome["result"])
            except RuntimeError as error:  # ITK's, for what is missing or cut short
                raise diskError(str(error)) from error
        raise errorOfExit(code, outcome, self.log)

    def _launch(self, folder: Path) -> subprocess.Popen:
        # A job that was cancelled before its process exists must not start one.
        with self._lock:
            if self._cancelled:
                raise CancelledError(_("The computation was cancelled; the scene is unchanged."))
            try:
                self._process = startBackend(["job", str(folder)])
            except OSError as error:
                raise WorkerError(
                    _("Slicer's Python could not be started; reinstall Slicer or the DMCVR extension."),
                    str(error),
                ) from error
            return self._process


def diskError(detail: str) -> WorkerError:
    """The error to raise where temporary files cannot be written or read."""
    return WorkerError(
        _(
            "The disk for temporary files is full or unavailable; free some space, or set the environment "
            "variable TMPDIR to a folder on another disk and restart Slicer."
        ),
        detail,
    )


def errorOfExit(code: int, outcome: dict, log: str) -> Exception:
    """The error to raise for a process that ended with exit ``code``; its message says what to do."""
    if outcome.get("kind") == "input":
        return InputError(withTitles(outcome["error"]))
    if outcome.get("kind") == "disk":
        return diskError(log)
    if "error" in outcome:
        return WorkerError(withTitles(outcome["error"]), log)
    if "No module named" in log:
        return WorkerError(_("A required Python package is missing; click Install and try again."), log)
    if code in (-signal.SIGKILL.value, 137) if os.name != "nt" else False:
        return WorkerError(
            _(
                "The operating system stopped the reconstruction, most likely because memory ran out; choose "
                "a larger target slice spacing or a single frame, or close other programs."
            ),
            log,
        )
    last = log.splitlines()[-1] if log else ""
    if code == 2 and last.startswith("dmcvr"):
        return InputError(withTitles(last.split(": ", 1)[-1]))
    return WorkerError(
        _(
            "The reconstruction process ended unexpectedly (exit code {code}); see the log, and try the "
            "device CPU if a GPU was used."
        ).format(code=code),
        log,
    )
