"""One reconstruction, from the chosen node to the nodes of its result, never blocking the main thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from dmcvr.cli.job_file import Job
from dmcvr.core.errors import CancelledError, InputError
from dmcvr.core.stack import Stack
from dmcvr.io.nrrd import write_stack
from dmcvr.reconstruction.output_grid import plan
from slicer.i18n import tr as _

from ..scene.image_series import currentFrame
from ..scene.manual_labels import asStack, labelsOnStack
from ..scene.result_files import readResult
from ..scene.result_nodes import Destination, ResultNodes, importResult
from ..scene.stack_input import StackInput, stackInput
from .time_estimate import StepCounts, TimeLeft
from .worker import FinishedMessage, ProgressMessage, Worker

IMAGE, LABELS = "sax.nrrd", "labels.nrrd"


@dataclass(frozen=True)
class Settings:
    """How to reconstruct; None leaves the backend's default.

    frame: "current", "ed", "es", "all", or a frame counted from 0. spacing: mm between output slices.
    The others are the options of ``dmcvr reconstruct``.
    """

    frame: str | int = "ed"
    method: str = "dmcvr"
    spacing: float | None = None
    steps: int | None = None
    rule: str | None = None
    labelRule: str | None = None
    regenerate: bool = False
    seed: int | None = None
    model: str | None = None
    device: str | None = None


class Run:
    """A reconstruction under way. Make it, ``start`` it, then ``poll`` it until it says that it is over.

    inputNode: a volume or a sequence. labelsNode: labels of the acquired slices, or None to have them
    segmented.
    replaceID: the volume of an earlier result to put this one into. stepTimes: what a step of each stage
    took before on this machine. Raises InputError where the input is no stack. Nothing in the scene changes
    before the whole result is there.
    """

    def __init__(
        self,
        inputNode,
        settings: Settings,
        labelsNode=None,
        replaceID: str | None = None,
        stepTimes: dict[str, float] | None = None,
    ):
        found = stackInput(inputNode)
        frame = currentFrame(inputNode) if settings.frame == "current" else settings.frame
        single = isinstance(frame, int)
        if labelsNode is not None and not single and found.frameCount > 1:
            raise InputError(
                _("The labels are of one frame; show that frame and choose to reconstruct the frame on show.")
            )
        stack = found.readStack([frame] if single else None)
        labels = labelsOnStack(labelsNode, stack, found.transformNode) if labelsNode is not None else None
        self.plan = countSteps(found, settings)
        self._timeLeft = TimeLeft(self.plan, stepTimes or {})
        self._destination = _destination(found, replaceID)
        self._exchange = _Exchange(
            stack, labels, _job(settings, 0 if single else frame), frame if single else None
        )
        self._worker = Worker(self._exchange.write, self._exchange.read)
        self._steps: Iterator[tuple[int, int]] | None = None
        self._started = time.monotonic()
        self.stage, self.done, self.total = "load", 0, 1
        self.result: ResultNodes | None = None
        self.error: Exception | None = None

    def start(self) -> None:
        """Set off; returns at once."""
        self._worker.start()

    def poll(self) -> bool:
        """Take in what has happened, in a few milliseconds; True once there is a result or an error."""
        if self._steps is not None:
            self._import()
        else:
            for message in self._worker.messages():
                self._take(message)
        return self.isOver

    def wait(self) -> ResultNodes:
        """Block until it is over. Returns the result, or raises what it failed with."""
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
        """End the computation, if it still goes on; ``poll`` then comes to an end with a CancelledError."""
        self._worker.cancel()
        if self._steps is not None:
            self._steps.close()
            self._steps = None
            self._fail(CancelledError(_("The reconstruction was cancelled; the scene is as it was.")))

    @property
    def isOver(self) -> bool:
        return self.result is not None or self.error is not None

    @property
    def secondsLeft(self) -> float:
        """An estimate that gets better on the way."""
        return self._timeLeft.seconds()

    @property
    def stepTimes(self) -> dict[str, float]:
        """What a step of each stage took, for the next estimate."""
        return self._timeLeft.each

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._started

    @property
    def log(self) -> str:
        """What the process printed besides its progress."""
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
            self._steps = importResult(message.value, self._destination)
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


@dataclass(frozen=True)
class _Exchange:
    """What Slicer and the worker exchange. original: the frame in the input, if only one is sent."""

    stack: Stack
    labels: np.ndarray | None
    job: Job
    original: int | None

    def write(self, folder: Path) -> Job:
        write_stack(folder / IMAGE, self.stack)
        if self.labels is None:
            return self.job
        write_stack(folder / LABELS, asStack(self.labels, self.stack))
        return replace(self.job, labels=LABELS)

    def read(self, folder: Path, record: dict):
        if self.original is not None:
            record = {**record, "frames": [self.original]}
        whole = bool((self.stack.frames == np.rint(self.stack.frames)).all())
        return readResult(folder, record, whole)


def countSteps(found: StackInput, settings: Settings) -> StepCounts:
    """How much work ``settings`` make of ``found``. Raises InputError for a spacing that does not suit it."""
    layout = plan(found.withoutImage(), settings.spacing)
    count, slices = found.frameCount, len(found.planes)
    choosing = settings.frame in ("ed", "es", "all")
    return StepCounts.of(
        frames=count if choosing else 1,
        chosen=count if settings.frame == "all" else 1,
        slices=slices,
        generated=len(layout.acquired) - sum(index is not None for index in layout.acquired),
        method=settings.method,
    )


def _job(settings: Settings, frame: str | int) -> Job:
    return Job(
        IMAGE,
        method=settings.method,
        spacing=settings.spacing,
        frame=frame,
        rule=settings.rule,
        label_rule=settings.labelRule,
        steps=settings.steps,
        regenerate=settings.regenerate,
        seed=settings.seed,
        model=settings.model,
        device=settings.device,
    )


def _destination(found: StackInput, replaceID: str | None) -> Destination:
    node = found.node
    displayNode = node.GetDisplayNode() if node.IsA("vtkMRMLVolumeNode") else None
    window = (displayNode.GetWindow(), displayNode.GetLevel()) if displayNode is not None else None
    return Destination(
        name=found.name,
        count=found.frameCount,
        inputID=node.GetID(),
        transformID=found.transformNode.GetID() if found.transformNode is not None else None,
        times=found.series[0].times,
        window=window,
        replaceID=replaceID,
    )
