"""What a run leaves on disk: written beside, then renamed, so that it appears whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from .errors import InputError
from .geometry import Grid
from .nrrd import write_segmentation, write_volume
from .reconstruct import Reconstruction
from .report import ReportData, write_report
from .stack import Stack


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """A private folder to write into, whose files are moved to ``target`` if the block ends well.

    Otherwise it is removed, with whatever parent folders were made for it. Raises InputError if ``target``
    cannot be written to, before anything is computed.
    """
    target = Path(target)
    with _made_parents(target):
        try:
            if target.exists() and not target.is_dir():
                raise NotADirectoryError(target)
            if target.is_dir():
                # Renaming files into the folder needs the right to write in it.
                with tempfile.TemporaryDirectory(dir=target):
                    pass
            staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        except OSError as error:
            raise InputError("The output folder cannot be written to; choose another one.") from error
        try:
            yield staging
            target.mkdir(exist_ok=True)
            for path in sorted(staging.iterdir()):
                path.replace(target / path.name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def staged_file(target: Path) -> Iterator[Path]:
    """A path beside ``target`` with the same suffixes to write to; renamed if the block ends well, else
    removed.
    """
    target = Path(target)
    with _made_parents(target):
        if target.is_dir():
            raise InputError("The output is a folder, but a file name is needed.")
        try:
            staging = Path(tempfile.mkdtemp(prefix=".writing.", dir=target.parent))
        except OSError as error:
            raise InputError("The output file cannot be written; choose another folder.") from error
        try:
            yield staging / target.name
            (staging / target.name).replace(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _made_parents(target: Path) -> Iterator[None]:
    """Makes the missing parents of ``target`` and removes them again if the block raises."""
    missing = [parent for parent in target.absolute().parents if not parent.exists()]
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("The output folder cannot be made; choose another place.") from error
    try:
        yield
    except BaseException:
        for parent in missing:
            if parent.exists() and not any(parent.iterdir()):
                parent.rmdir()
        raise


def write_reconstruction(
    folder: Path, result: Reconstruction, record: dict, lax: tuple[Stack, ...] = ()
) -> None:
    """Write volume, labels, segmentation, record and report of a reconstruction into ``folder``.

    More than one frame makes ``volume.nrrd`` and ``labels.nrrd`` sequences, and adds one numbered
    segmentation a frame; ``segmentation.seg.nrrd`` is then that of the first phase the report shows.
    """
    times = result.stack.times
    several = len(result.volume) > 1
    volume, labels = (result.volume, result.labels) if several else (result.volume[0], result.labels[0])
    write_volume(folder / "volume.nrrd", volume, result.grid, times if several else None)
    write_volume(folder / "labels.nrrd", labels, result.grid, times if several else None, labels=True)
    shown = record["ed"] or 0
    write_segmentation(folder / "segmentation.seg.nrrd", result.labels[shown], result.grid)
    if several:
        for frame, item in zip(result.frames, result.labels, strict=True):
            write_segmentation(folder / f"segmentation_{frame:03d}.seg.nrrd", item, result.grid)
    (folder / "result.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    data = ReportData(
        result.volume,
        result.labels,
        result.grid,
        result.stack,
        result.stack_labels,
        result.acquired,
        tuple(lax),
        record,
    )
    write_report(folder / "report.html", data)


def stack_grid(stack: Stack) -> Grid:
    """The regular grid a stack lies on. Raises InputError if its slices are irregular or displaced in their
    plane.
    """
    step = (stack.origins[-1] - stack.origins[0]) / (len(stack.origins) - 1)
    expected = stack.origins[0] + np.arange(len(stack.origins))[:, None] * step
    if np.linalg.norm(stack.origins - expected, axis=1).max() > 0.01:
        raise InputError(
            "The slices lie at irregular places, which one image file cannot hold; use dmcvr reconstruct instead."
        )
    return Grid(stack.origins[0], stack.step_x, stack.step_y, step, stack.frames.shape[1:])
