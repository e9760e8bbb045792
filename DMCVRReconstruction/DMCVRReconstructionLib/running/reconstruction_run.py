"""One reconstruction, from the input node to the nodes of its result, without blocking the main thread."""

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
from dmcvr.reconstruction.options import ModelChoice, Options
from dmcvr.reconstruction.output_grid import plan_layout
from slicer.i18n import tr as _

from ..scene.manual_labels import asStack, labelsOnStack
from ..scene.result_files import ResultFiles, readResult
from ..scene.result_nodes import Destination, ResultNodes, importResult
from ..scene.stack_input import StackInput, stackInput
from .time_estimate import StepCounts, TimeLeft
from .worker import FinishedMessage, ProgressMessage, Worker

IMAGE, LABELS = "sax.nrrd", "labels.nrrd"


@dataclass(frozen=True)
class RunRequest:
    """What to reconstruct and how.

    inputNode: a volume or a sequence. labelsNode: manual labels of the acquired slices, None to segment them.
    replaceVolume: the volume of an earlier result to replace, or None.
    """

    inputNode: object
    options: Options = Options()
    model: ModelChoice = ModelChoice()
    labelsNode: object | None = None
    replaceVolume: object | None = None


class Run:
    """A reconstruction in progress. Create it, ``start`` it, then ``poll`` it until it says that it is over.

    stepTimes: seconds per step of each stage in an earlier run, for the estimate of the time left. Raises
    InputError if the input is not a stack. The scene does not change before the whole result is there.
    """

    def __init__(self, request: RunRequest, stepTimes: dict[str, float] | None = None):
        found, options, labelsNode = stackInput(request.inputNode), request.options, request.labelsNode
        # Only the frame that is needed leaves Slicer; in the file it is the first.
        single = options.frame if isinstance(options.frame, int) else None
        if labelsNode is not None and single is None and found.frameCount > 1:
            raise InputError(
                _(
                    "The manual labels belong to a single frame; show that frame and choose to reconstruct "
                    "the displayed frame."
                )
            )
        stack = found.readStack(None if single is None else [single])
        labels = labelsOnStack(labelsNode, stack, found.transformNode) if labelsNode is not None else None
        self._timeLeft = TimeLeft(countSteps(found, options), stepTimes or {})
        self._destination = _destination(found, request.replaceVolume)
        job = Job(IMAGE, options if single is None else replace(options, frame=0), request.model)
        files = _JobFiles(stack, labels, job, single)
        self._worker = Worker(files.write, files.read)
        self._steps: Iterator[tuple[int, int]] | None = None
        self._started = time.monotonic()
        self.stage, self.done, self.total = "load", 0, 1
        self.result: ResultNodes | None = None
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

    def wait(self) -> ResultNodes:
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
            self._fail(CancelledError(_("The reconstruction was cancelled; the scene is unchanged.")))

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
class _JobFiles:
    """The files exchanged with the backend. frame: its number in the input, if only one is sent."""

    stack: Stack
    labels: np.ndarray | None
    job: Job
    frame: int | None

    def write(self, folder: Path) -> Job:
        write_stack(folder / IMAGE, self.stack)
        if self.labels is None:
            return self.job
        write_stack(folder / LABELS, asStack(self.labels, self.stack))
        return replace(self.job, labels=LABELS)

    def read(self, folder: Path, record: dict) -> ResultFiles:
        if self.frame is not None:
            record = {**record, "frames": [self.frame]}
        asIntegers = bool((self.stack.frames == np.rint(self.stack.frames)).all())
        return readResult(folder, record, asIntegers)


def countSteps(found: StackInput, options: Options) -> StepCounts:
    """The steps of a run on ``found``. Raises InputError for a spacing that does not suit it."""
    layout = plan_layout(found.withoutImage(), options.spacing)
    count = found.frameCount
    return StepCounts.of(
        frames=1 if isinstance(options.frame, int) else count,
        chosen=count if options.frame == "all" else 1,
        slices=len(found.planes),
        generated=layout.acquired.count(None),
        byDiffusion=options.generates,
    )


def _destination(found: StackInput, replaceVolume) -> Destination:
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
        replaceID=replaceVolume.GetID() if replaceVolume is not None else None,
    )
