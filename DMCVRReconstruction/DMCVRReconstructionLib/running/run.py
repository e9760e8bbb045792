"""One job of the backend, from the request to the nodes of its result, without blocking the main thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from dmcvr.cli.job_file import Job
from dmcvr.core.errors import CancelledError
from slicer.i18n import tr as _

from .time_estimate import StepCounts, TimeLeft
from .worker import FinishedMessage, ProgressMessage, Worker

Result = TypeVar("Result")


@dataclass(frozen=True)
class RunPlan(Generic[Result]):
    """What a run does: ``prepare`` and ``read`` are those of `Worker`; ``bring`` adds what was read to the
    scene, step by step, yielding (done, total) and returning the nodes. counts: for the estimated time.
    """

    prepare: Callable[[Path], Job]
    read: Callable[[Path, dict], object]
    bring: Callable[[object], Iterator[tuple[int, int]]]
    counts: StepCounts


class Request(Protocol[Result]):
    """What can be run."""

    def plan(self) -> RunPlan[Result]:
        """The run. Raises InputError if the request makes no sense."""


class Run(Generic[Result]):
    """A request in progress. Create it, ``start`` it, then ``poll`` it until it says that it is over.

    stepTimes: seconds per step of each stage in an earlier run, for the estimate of the time left. Raises
    InputError if the request makes no sense. The scene does not change before the whole result is there.
    """

    def __init__(self, request: Request[Result], stepTimes: dict[str, float] | None = None):
        self._plan = request.plan()
        self._timeLeft = TimeLeft(self._plan.counts, stepTimes or {})
        self._worker = Worker(self._plan.prepare, self._plan.read)
        self._steps: Iterator[tuple[int, int]] | None = None
        self._started = time.monotonic()
        self.stage, self.done, self.total = "load", 0, 1
        self.result: Result | None = None
        self.error: Exception | None = None

    def start(self) -> None:
        """Start the computation; returns at once."""
        self._worker.start()

    def poll(self) -> bool:
        """Handle what has arrived, in a few milliseconds; True once there is a result or an error."""
        if self._steps is not None:
            self._import()
        else:
            for message in self._worker.messages():
                self._take(message)
        return self.isOver

    def wait(self) -> Result:
        """Block until it is over. Returns the result, or raises the error."""
        while not self.isOver:
            if self._steps is not None:
                self._import()
                continue
            for message in self._worker.messages(timeout=1.0):
                self._take(message)
        if self.error is not None:
            raise self.error
        return self.result

    def cancel(self) -> None:
        """Cancel the computation; ``poll`` then ends with a CancelledError."""
        self._worker.cancel()
        if self._steps is not None:
            self._steps.close()
            self._steps = None
            self._fail(CancelledError(_("The computation was cancelled; the scene is unchanged.")))

    @property
    def isOver(self) -> bool:
        return self.result is not None or self.error is not None

    @property
    def secondsLeft(self) -> float:
        """An estimate, which improves in the course of the run."""
        return self._timeLeft.seconds()

    @property
    def stepTimes(self) -> dict[str, float]:
        """Seconds per step of each stage, for the next estimate."""
        return self._timeLeft.each

    @property
    def seconds(self) -> float:
        """Since the run was created."""
        return time.monotonic() - self._started

    @property
    def log(self) -> str:
        """What the process printed, apart from its progress."""
        return self._worker.log

    @property
    def processID(self) -> int | None:
        return self._worker.processID

    def _take(self, message: ProgressMessage | FinishedMessage) -> None:
        if isinstance(message, ProgressMessage):
            self.stage, self.done, self.total = message.stage, message.done, message.total
            self._timeLeft.update(message.stage, message.done, message.total)
        elif message.error is not None:
            self._fail(message.error)
        else:
            self._steps = self._plan.bring(message.value)
            self.stage, self.done, self.total = "import", 0, 1

    def _import(self) -> None:
        try:
            self.done, self.total = next(self._steps)
        except StopIteration as end:
            self.result, self._steps = end.value, None
        except Exception as error:
            self._steps = None
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.error = error
