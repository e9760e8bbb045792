"""A reconstruction as a run: what leaves Slicer for the backend, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from dmcvr.cli.job_file import Job
from dmcvr.core.stack import Stack
from dmcvr.io.nrrd import write_stack
from dmcvr.reconstruction.options import BOTH, ModelChoice, Options
from dmcvr.reconstruction.output_grid import plan_layout

from ..scene.manual_labels import DrawnLabels, asStack, drawnLabels
from ..scene.result_files import ResultFiles, readResult
from ..scene.result_nodes import Destination, ResultNodes, importResult
from ..scene.stack_input import StackInput, stackInput
from .lax_files import Image, laxStacks
from .run import RunPlan
from .time_estimate import StepCounts

IMAGE, LABELS = "sax.nrrd", "labels.nrrd"


@dataclass(frozen=True)
class RunRequest:
    """What to reconstruct and how.

    inputNode: a volume or a sequence. labelsNode: manual labels of the acquired slices, None to segment them.
    replaceVolume: the volume of an earlier result to replace, or None. lax: long-axis images, which put the
    slices in register, as ``options.align`` says, and are played with the result.
    """

    inputNode: object
    options: Options = Options()
    model: ModelChoice = ModelChoice()
    labelsNode: object | None = None
    replaceVolume: object | None = None
    lax: tuple[Image, ...] = ()

    def plan(self) -> RunPlan[ResultNodes]:
        """The run. Raises InputError if the input is not a stack, or the labels are not of its frames."""
        found, options = stackInput(self.inputNode), self.options
        # Only the frame that is needed leaves Slicer; in the file it is the first.
        single = options.frame if isinstance(options.frame, int) else None
        drawn = drawnLabels(self.labelsNode, found, single) if self.labelsNode is not None else None
        counts = countSteps(found, options)
        stack = found.readStack(None if single is None else [single])
        job = Job(IMAGE, options if single is None else replace(options, frame=0), self.model)
        lax = laxStacks(self.lax, found, single) if options.align in ("auto", "lax") else []
        files = _JobFiles(stack, drawn, tuple(lax), job, single)
        destination = _destination(found, self)
        return RunPlan(files.write, files.read, partial(importResult, destination=destination), counts)


@dataclass(frozen=True)
class _JobFiles:
    """The files exchanged with the backend. frame: its number in the input, if only one is sent."""

    stack: Stack
    drawn: DrawnLabels | None
    lax: tuple[Stack, ...]
    job: Job
    frame: int | None

    def write(self, folder: Path) -> Job:
        write_stack(folder / IMAGE, self.stack)
        names = [f"lax_{index}.nrrd" for index in range(len(self.lax))]
        for name, image in zip(names, self.lax, strict=True):
            write_stack(folder / name, replace(image, frames=image.frames.astype(np.float32)))
        if self.drawn is not None:
            write_stack(folder / LABELS, asStack(self.drawn.sample(), self.stack))
        return replace(self.job, labels=None if self.drawn is None else LABELS, lax=tuple(names))

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
        chosen={"all": count, BOTH: min(count, 2)}.get(options.frame, 1),
        slices=len(found.planes),
        generated=layout.acquired.count(None),
        byDiffusion=options.generates,
    )


def _destination(found: StackInput, request: RunRequest) -> Destination:
    node = found.node
    displayNode = node.GetDisplayNode() if node.IsA("vtkMRMLVolumeNode") else None
    window = (displayNode.GetWindow(), displayNode.GetLevel()) if displayNode is not None else None
    before = request.replaceVolume
    followers = [series.shownNode for series in found.series[1:] if series.shownNode is not None]
    followers += [image.node for image in request.lax]
    return Destination(
        name=found.name,
        count=found.frameCount,
        inputID=node.GetID(),
        transformID=found.transformNode.GetID() if found.transformNode is not None else None,
        times=found.series[0].times,
        window=window,
        replaceID=before.GetID() if before is not None else None,
        followerIDs=tuple(item.GetID() for item in followers),
    )
