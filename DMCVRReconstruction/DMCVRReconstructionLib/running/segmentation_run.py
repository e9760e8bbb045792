"""The segmentation of the acquired slices as a run, to be corrected before a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from dmcvr.cli.job_file import LABELS, Job
from dmcvr.core.geometry import Grid
from dmcvr.core.stack import Stack
from dmcvr.io.nrrd import write_stack
from dmcvr.reconstruction.options import ModelChoice, Options

from ..scene.acquired_segmentation import AcquiredFiles, AcquiredPlace, evenGrid, importAcquired, onGrid
from ..scene.result_files import readImage
from ..scene.stack_input import stackInput
from .reconstruction_run import IMAGE
from .run import RunPlan
from .time_estimate import StepCounts


@dataclass(frozen=True)
class SegmentRequest:
    """What to segment: the frames of ``inputNode``, a volume or a sequence, that ``options.frame`` means."""

    inputNode: object
    options: Options = Options()
    model: ModelChoice = ModelChoice()

    def plan(self) -> RunPlan[object]:
        """The run, whose result is the segmentation node. Raises InputError if the input is not a stack, or
        too uneven a one for a segmentation.
        """
        found, options = stackInput(self.inputNode), self.options
        single = options.frame if isinstance(options.frame, int) else None
        assembled = len(found.series) > 1
        grid, z = evenGrid(found.withoutImage()) if assembled else (found.series[0].grid, found.order)
        # Assembled of single slices, the image is needed whole, to be drawn on.
        alone = None if assembled else single
        stack = found.readStack(None if alone is None else [alone])
        job = Job(IMAGE, options if alone is None else replace(options, frame=0), self.model, task="segment")
        files = _SegmentFiles(stack, job, _Place(grid, z, assembled, alone, found.frameCount))
        place = AcquiredPlace(
            name=found.name,
            inputID=found.node.GetID(),
            transformID=_parentOf(found),
            times=found.series[0].times,
        )
        frames = 1 if single is not None else found.frameCount
        counts = StepCounts(segment=frames * len(found.planes), generate=0)
        return RunPlan(files.write, files.read, partial(importAcquired, place=place), counts)


@dataclass(frozen=True)
class _Place:
    """Where labels go. z: (S,) the row of ``grid`` that each slice of the stack is. assembled: whether the
    image is to be put on the grid as well. frame: of the input, if only that is sent. count: of the frames of
    the input.
    """

    grid: Grid
    z: np.ndarray
    assembled: bool
    frame: int | None
    count: int


@dataclass(frozen=True)
class _SegmentFiles:
    """The files exchanged with the backend."""

    stack: Stack
    job: Job
    place: _Place

    def write(self, folder: Path) -> Job:
        write_stack(folder / IMAGE, self.stack)
        return self.job

    def read(self, folder: Path, told: dict) -> AcquiredFiles:
        labels, _grid, _times = readImage(folder / LABELS)
        place, stack = self.place, self.stack
        if place.assembled:
            image = onGrid(stack.frames, stack, place.grid, place.z, order=1)
            if (stack.frames == np.rint(stack.frames)).all() and image.max() <= np.iinfo(np.int16).max:
                image = np.rint(image).astype(np.int16)
            return AcquiredFiles(onGrid(labels, stack, place.grid, place.z, order=0), place.grid, image)
        drawn = np.zeros((place.count, *place.grid.shape), np.uint8)
        sent = range(place.count) if place.frame is None else [place.frame]
        for frame, found in zip(sent, labels, strict=True):
            drawn[frame, place.z] = found
        return AcquiredFiles(drawn, place.grid)


def _parentOf(found) -> str | None:
    """The transform that the voxels the segmentation is drawn on lie below."""
    if len(found.series) == 1:
        shown = found.series[0].shownNode
        return shown.GetTransformNodeID() if shown is not None else None
    return found.transformNode.GetID() if found.transformNode is not None else None
