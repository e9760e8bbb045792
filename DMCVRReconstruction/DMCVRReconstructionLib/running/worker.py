"""Running a reconstruction in a process of its own, without ever making the caller wait.

A thread writes the job, starts the process and reads what it prints; whoever started it asks now and then, in
Slicer by a timer, what has arrived. MRML and Qt are touched by the asking side only. The process is the
leader of a group that is ended as a whole: PythonSlicer is a launcher, and ending it alone would leave the
Python that computes behind it running. What they exchange lies in a private folder, which goes at the end;
should Slicer be killed, the process removes it, and should both be, the next run does.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dmcvr
from dmcvr.cli.job_file import OUTPUT, Job, read_line, write_job
from dmcvr.core.errors import CancelledError, InputError
from dmcvr.system.privatefolder import private_folder
from slicer.i18n import tr as _

from .errors import WorkerError

PREFIX = "dmcvr-"  # of the private folders in the system's folder for temporary files
END_SECONDS = 3.0  # a cancelled process may take this long to end well before it is killed
LAST_LINES = 200


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` steps of ``stage``."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Finished:
    """The job is over; ``value`` is what was read from its result, or ``error`` says why there is none."""

    value: object = None
    error: Exception | None = None


class Worker:
    """One job, from the writing of its files to the reading of its result.

    prepare: writes the input files into the folder it is given and returns the job; read: turns the folder of
    the results and their record into what ``Finished`` brings. Both run in the thread, so they may take their
    time but must not touch MRML or Qt.
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
        """Set off; returns at once."""
        self._thread.start()

    def messages(self, timeout: float | None = None) -> Iterator[Progress | Finished]:
        """What has arrived since the last call; ``timeout``: wait up to so many seconds for something."""
        with contextlib.suppress(queue.Empty):
            if timeout is not None:
                yield self._messages.get(timeout=timeout)
            while True:
                yield self._messages.get_nowait()

    def cancel(self) -> None:
        """End the process and its children; ``Finished`` follows with a CancelledError. Returns at once."""
        with self._lock:
            self._cancelled = True
            process = self._process
        if process is not None:
            threading.Thread(target=endTree, args=(process,), name="DMCVR cancel", daemon=True).start()

    @property
    def log(self) -> str:
        """The last lines that the process printed, on either way, and its fault if it had one."""
        return "\n".join(self._log)

    @property
    def processID(self) -> int | None:
        """Of the process, once it runs."""
        return self._process.pid if self._process is not None else None

    def _run(self) -> None:
        try:
            with private_folder(tempfile.gettempdir(), PREFIX) as folder:
                finished = Finished(self._work(folder))
        except OSError as error:
            finished = Finished(error=withoutRoom(str(error)))
        except Exception as error:  # it is raised again where the result is asked for
            finished = Finished(error=error)
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
                self._messages.put(Progress(message["stage"], message["done"], message["total"]))
            else:
                outcome = message
        code = process.wait()
        errors.join(timeout=END_SECONDS)
        for pipe in (process.stdout, process.stderr):
            pipe.close()
        if detail := outcome.get("detail"):
            self._log.extend(detail.splitlines())
        if self._cancelled or code == 130:
            raise CancelledError(_("The reconstruction was cancelled; the scene is as it was."))
        if code == 0 and "result" in outcome:
            try:
                return self._read(folder / OUTPUT, outcome["result"])
            except RuntimeError as error:  # ITK's, for what is missing or cut short
                raise withoutRoom(str(error)) from error
        raise failure(code, outcome, self.log)

    def _launch(self, folder: Path) -> subprocess.Popen:
        # Cancelling before there is a process must not lead to one.
        with self._lock:
            if self._cancelled:
                raise CancelledError(_("The reconstruction was cancelled; the scene is as it was."))
            try:
                self._process = startBackend(["job", str(folder)])
            except OSError as error:
                raise WorkerError(
                    _("Slicer's Python could not be started; reinstall Slicer or the DMCVR extension."),
                    str(error),
                ) from error
            return self._process


def startBackend(arguments: list[str]) -> subprocess.Popen:
    """A process of ``dmcvr ARGUMENTS`` in Slicer's own Python, as the leader of a process group, with pipes.

    Raises OSError where it cannot be started.
    """
    python = shutil.which("PythonSlicer") or sys.executable
    backend = str(Path(dmcvr.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [backend, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    options: dict = {"start_new_session": True}
    if os.name == "nt":
        options = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(
        [python, "-m", "dmcvr", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        **options,
    )


def endTree(process: subprocess.Popen, seconds: float = END_SECONDS) -> None:
    """End ``process`` and all its children: first asked to, killed after ``seconds``. Waits for the end."""
    if os.name == "nt":
        subprocess.run(
            ["taskkill", "/PID", str(process.pid), "/T", "/F"],
            capture_output=True,
            creationflags=subprocess.CREATE_NO_WINDOW,
            check=False,
        )
        process.wait()
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def withoutRoom(detail: str) -> WorkerError:
    """The error to raise where the temporary files could not be written or read."""
    return WorkerError(
        _(
            "The disk that holds temporary files is full or went away; make room, or set the environment "
            "variable TMPDIR to a folder on another disk and start Slicer again."
        ),
        detail,
    )


def failure(code: int, outcome: dict, log: str) -> Exception:
    """The error to raise for a process that ended with exit ``code``: a sentence that says what to do."""
    if outcome.get("kind") == "input":
        return InputError(outcome["error"])
    if outcome.get("kind") == "disk":
        return withoutRoom(log)
    if "error" in outcome:
        return WorkerError(outcome["error"], log)
    if "No module named" in log:
        return WorkerError(
            _("A Python package that the reconstruction needs is missing; press Install and try again."), log
        )
    if code in (-signal.SIGKILL.value, 137) if os.name != "nt" else False:
        return WorkerError(
            _(
                "The system ended the reconstruction, most likely for lack of memory; choose a larger slice "
                "spacing or a single frame, or close other programs."
            ),
            log,
        )
    last = log.splitlines()[-1] if log else ""
    if code == 2 and last.startswith("dmcvr"):
        return InputError(last.split(": ", 1)[-1])
    return WorkerError(
        _(
            "The reconstruction's process ended unexpectedly (code {code}); see the log, and try the device "
            "CPU if a graphics card was used."
        ).format(code=code),
        log,
    )
