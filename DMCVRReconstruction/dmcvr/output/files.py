"""What a run leaves on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import InputError
from ..core.geometry import Grid
from ..core.stack import Stack
from ..io.nrrd import is_written_here, write_segmentation, write_volume
from ..system.staging import staged_file, staged_folder
from .record import RunRecord
from .report import ReportData, write_report

if TYPE_CHECKING:
    from ..reconstruction.result import Reconstruction

NUMBERED = "segmentation_*.seg.nrrd"
RECORD = "result.json"
UNCERTAINTY = "uncertainty.nrrd"
FILES = ("volume.nrrd", "labels.nrrd", UNCERTAINTY, "segmentation.seg.nrrd", NUMBERED, RECORD, "report.html")
"""Patterns of the names of all files that ``write_reconstruction`` writes."""


@contextmanager
def result_folder(target: Path) -> Iterator[Path]:
    """A hidden folder for `write_reconstruction`, see `staged_folder`: its files lie in ``target`` once
    the block has ended well.
    """
    with staged_folder(target, NUMBERED, RECORD, FILES) as folder:
        yield folder


@contextmanager
def label_file(target: Path) -> Iterator[Path]:
    """A hidden path for `write_labels`, which is ``target`` once the block has ended well. Raises InputError
    for names of other files than label volumes, and see `staging.staged_file`.
    """
    name = target.name.lower()
    if not name.endswith(".nrrd") or name.endswith(".seg.nrrd"):
        raise InputError("Labels are written as a label volume; give a file name like labels.nrrd.")
    with staged_file(target, is_own=is_written_here) as path:
        yield path


def write_labels(path: Path, labels: np.ndarray, grid: Grid, times: np.ndarray | None) -> None:
    """Write ``labels`` (T, Z, Y, X): one volume, or a sequence with the ``times`` (T,) ms of its frames."""
    if len(labels) > 1:
        write_volume(path, labels, grid, times, labels=True)
    else:
        write_volume(path, labels[0], grid)


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
