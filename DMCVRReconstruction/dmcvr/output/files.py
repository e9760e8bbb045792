"""What a run leaves on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import InputError
from ..core.geometry import Grid
from ..core.stack import Stack
from ..io.nrrd import write_segmentation, write_volume
from .record import RunRecord
from .report import ReportData, write_report

if TYPE_CHECKING:
    from ..reconstruction.result import Reconstruction

NUMBERED = "segmentation_*.seg.nrrd"
RECORD = "result.json"
UNCERTAINTY = "uncertainty.nrrd"
FILES = ("volume.nrrd", "labels.nrrd", UNCERTAINTY, "segmentation.seg.nrrd", NUMBERED, RECORD, "report.html")
"""Patterns of the names of all files that ``write_reconstruction`` writes."""


def write_reconstruction(
    folder: Path, result: Reconstruction, record: RunRecord, lax: tuple[Stack, ...] = ()
) -> None:
    """Write volume, labels, segmentation, uncertainty if there is one, record and report into ``folder``.

    More than one frame makes ``volume.nrrd`` and ``labels.nrrd`` sequences, and adds one numbered
    segmentation a frame; ``segmentation.seg.nrrd`` is then that of the first phase the report shows.
    """
    times = result.stack.times
    several = len(result.volume) > 1
    volume, labels = (result.volume, result.labels) if several else (result.volume[0], result.labels[0])
    write_volume(folder / "volume.nrrd", volume, result.grid, times if several else None)
    write_volume(folder / "labels.nrrd", labels, result.grid, times if several else None, labels=True)
    if result.uncertainty is not None:
        uncertainty = result.uncertainty if several else result.uncertainty[0]
        write_volume(folder / UNCERTAINTY, uncertainty, result.grid, times if several else None)
    shown = record.ed or 0
    write_segmentation(folder / "segmentation.seg.nrrd", result.labels[shown], result.grid)
    if several:
        for frame, item in zip(result.frames, result.labels, strict=True):
            write_segmentation(folder / f"segmentation_{frame:03d}.seg.nrrd", item, result.grid)
    (folder / RECORD).write_text(json.dumps(record.to_json(), indent=1) + "\n", encoding="utf-8")
    data = ReportData(
        result.volume,
        result.labels,
        result.grid,
        result.stack,
        result.stack_labels,
        result.acquired,
        record,
        tuple(lax),
    )
    write_report(folder / "report.html", data)


def stack_grid(stack: Stack) -> Grid:
    """The regular grid a stack lies on. Raises InputError if its slices do not lie on one."""
    step = (stack.origins[-1] - stack.origins[0]) / (len(stack.origins) - 1)
    expected = stack.origins[0] + np.arange(len(stack.origins))[:, None] * step
    if np.linalg.norm(stack.origins - expected, axis=1).max() > 0.01:
        raise InputError(
            "The slices lie at irregular places, which one image file cannot hold; use dmcvr reconstruct."
        )
    return Grid(stack.origins[0], stack.step_x, stack.step_y, step, stack.frames.shape[1:])
