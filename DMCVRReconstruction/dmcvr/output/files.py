"""What a run leaves on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import InputError
from ..core.stack import Stack
from ..io.image_writer import is_nifti_name, write_frames
from ..io.nrrd import is_written_here, write_segmentation
from ..system.ownership import IsOwn
from ..system.staging import check_folder_name, staged_file, staged_folder
from ..system.threads import in_threads
from .measurements import MEASUREMENTS, write_measurements
from .mesh_files import MESHES, write_surfaces
from .record import RunRecord
from .report import ReportData, write_report
from .result_formats import IMAGE_SUFFIXES, Formats

if TYPE_CHECKING:
    from ..reconstruction.result import Reconstruction

NUMBERED = "segmentation_*.seg.nrrd"
RECORD = "result.json"
IMAGES = ("volume", "labels", "uncertainty")
FILES = (
    *(f"{stem}{suffix}" for stem in IMAGES for suffix in IMAGE_SUFFIXES.values()),
    "segmentation.seg.nrrd",
    NUMBERED,
    RECORD,
    MEASUREMENTS,
    MESHES,
    "report.html",
)
"""Patterns of the names of all files that ``write_reconstruction`` writes."""


@contextmanager
def result_folder(target: Path) -> Iterator[Path]:
    """A hidden folder for `write_reconstruction`, see `staged_folder`: its files lie in ``target`` once the
    block has ended well, and those of an earlier result are gone.

    Raises InputError for a name that looks like a file's.
    """
    check_folder_name(target)
    with staged_folder(target, FILES, RECORD, FILES) as folder:
        yield folder


@contextmanager
def label_file(target: Path) -> Iterator[Path]:
    """A hidden path to write labels to, which is ``target`` once the block has ended well. Raises InputError
    for names of other files than label volumes, and see `staging.staged_file`.
    """
    name = target.name.lower()
    if is_nifti_name(target):
        is_own: IsOwn | None = None  # other programs may keep whatever mark a header has
    elif name.endswith(".nrrd") and not name.endswith(".seg.nrrd"):
        is_own = is_written_here
    else:
        raise InputError(
            "Labels are written as a label volume; give a file name like labels.nrrd or labels.nii.gz."
        )
    with staged_file(target, is_own) as path:
        yield path


def write_reconstruction(
    folder: Path,
    result: Reconstruction,
    record: RunRecord,
    lax: tuple[Stack, ...] = (),
    formats: Formats | None = None,
) -> None:
    """Write volume, labels, segmentation, uncertainty if there is one, record, measurements and report into
    ``folder``.

    More than one frame makes volume and labels one file of a cine each, in NRRD a sequence, and adds one
    numbered segmentation a frame; ``segmentation.seg.nrrd`` is then that of the first phase the report shows.
    Meshes on request.
    """
    formats = formats or Formats()
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
    # What takes longest first, for they are written side by side.
    files: list[Callable[[], None]] = [partial(write_report, folder / "report.html", data)]
    for stem, array in zip(IMAGES, (result.volume, result.labels, result.uncertainty), strict=True):
        if array is not None:
            path, is_labels = folder / f"{stem}{formats.image_suffix}", stem == "labels"
            files.append(
                partial(write_frames, path, array, result.grid, result.stack.times, labels=is_labels)
            )
    if formats.meshes:
        files.append(partial(write_surfaces, folder, result, record, f".{formats.meshes}"))
    shown = {"segmentation.seg.nrrd": result.labels[record.ed or 0]}
    if len(result.volume) > 1:
        numbered = zip(result.frames, result.labels, strict=True)
        shown |= {f"segmentation_{frame:03d}.seg.nrrd": item for frame, item in numbered}
    files += [partial(write_segmentation, folder / name, item, result.grid) for name, item in shown.items()]
    for _ in in_threads(lambda write: write(), files):
        pass
    (folder / RECORD).write_text(json.dumps(record.to_json(), indent=1) + "\n", encoding="utf-8")
    write_measurements(folder / MEASUREMENTS, record)
