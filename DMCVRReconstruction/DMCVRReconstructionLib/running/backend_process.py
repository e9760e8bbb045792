"""The backend in a process of its own, in Slicer's Python.

The process leads a group that is ended as a whole: PythonSlicer is a launcher, and ending it alone would
leave the Python that computes behind it running.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import dmcvr

END_SECONDS = 3.0
"""How long a cancelled process may take to end by itself before it is killed."""


def startBackend(arguments: list[str]) -> subprocess.Popen:
    """Start ``dmcvr ARGUMENTS`` in Slicer's own Python, leading a process group, with pipes to its output.

    Raises OSError if it cannot be started.
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


class BackendCall:
    """``dmcvr ARGUMENTS`` in the background, its output read while it runs: a full pipe would stop it."""

    def __init__(self, arguments: list[str]):
        self._arguments = arguments
        self.isOver = False
        self.exitCode: int | None = None  # None as well if it could not be started
        self.output, self.errors = "", ""
        self._thread = threading.Thread(target=self._run, name="DMCVR call", daemon=True)

    def start(self) -> None:
        """Returns at once; the other attributes are complete once ``isOver``. Can be called once."""
        self._thread.start()

    def _run(self) -> None:
        try:
            process = startBackend(self._arguments)
            self.output, self.errors = process.communicate()
            self.exitCode = process.returncode
        except OSError as error:
            self.errors = str(error)
        self.isOver = True


def endTree(process: subprocess.Popen, seconds: float = END_SECONDS) -> None:
    """Terminate ``process`` and all its children, kill them after ``seconds``, and wait for the end."""
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
