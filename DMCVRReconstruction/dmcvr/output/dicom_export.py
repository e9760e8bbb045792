"""A result as DICOM, in the study it came from: the volume as derived MR images, the labels as segmentations.

These files carry the patient's identity, as nothing else of this program does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..alignment.register import images_in_register
from ..alignment.shifts import SliceShifts
from ..core.errors import InputError
from ..core.geometry import Grid
from ..core.stack import Stack
from ..io.dicom.derived import Series, derived_images, read_source
from ..io.dicom.label_objects import label_objects
from ..io.dicom.reading import FAULTS
from ..io.dicom.study import read_study, sax_files
from ..io.formats import read_image_file
from ..reconstruction.blank_images import leave_out_blank_slices
from ..reconstruction.output_grid import straighten
from ..system.untrusted import read_json
from .files import RECORD
from .record import input_hash
from .result_formats import IMAGE_SUFFIXES

EXPORTED = ("image_*.dcm", "segmentation_*.dcm")
"""Patterns of the names of all files that ``export_dicom`` writes."""
DESCRIPTION = "DMCVR reconstruction, research use only"
LEAST_CORRELATION = 0.9
"""Between an acquired slice of the result and that of the study, both in register."""
SAME_MM = 0.5
"""How far a slice of the result may lie beside that of the study."""
ACQUIRED, GENERATED, GUESSED = "Acquired slice.", "Generated slice.", "Extrapolated slice."


@dataclass(frozen=True)
class SavedResult:
    """What lies in a result's folder: volume and labels (T, Z, Y, X) on ``grid``, ms of the frames where they
    are known, and the record.
    """

    volume: np.ndarray
    labels: np.ndarray
    grid: Grid
    times: np.ndarray | None
    record: dict[str, Any]


def read_result(folder: Path) -> SavedResult:
    """The result in ``folder``. Raises InputError where there is none."""
    try:
        record = read_json(folder / RECORD)
    except (OSError, ValueError) as error:
        raise InputError(
            f"The result's folder holds no readable {RECORD}; give one that dmcvr reconstruct has written."
        ) from error
    images = []
    for stem in ("volume", "labels"):
        found = [folder / f"{stem}{suffix}" for suffix in IMAGE_SUFFIXES.values()]
        path = next((path for path in found if path.is_file()), found[0])
        images.append(read_image_file(path, f"result's {stem}", lambda message: None))
    volume, labels = images
    if volume.voxels.shape != labels.voxels.shape:
        raise InputError("Volume and labels of the result do not belong together; reconstruct again.")
    return SavedResult(
        volume.voxels.astype(np.float32), labels.voxels.astype(np.uint8), volume.grid, volume.times, record
    )


def export_dicom(result: SavedResult, like: Path, folder: Path) -> int:
    """Write ``result`` into ``folder`` as DICOM of the study in the DICOM folder ``like``; how many files.

    Raises InputError where the result was not made of that study's short-axis stack, or highdicom is missing.
    """
    _check_study(result, like)
    try:
        source = read_source(sax_files(like))
    except FAULTS as error:
        raise InputError("A DICOM file in the folder is damaged; export the study again.") from error
    series = Series(DESCRIPTION, _derivation(result.record), _origins(result.record), datetime.now())
    images = list(derived_images(source, result.volume, result.grid, result.times, series))
    by_expert = result.record["input"]["labels_sha256"] is not None
    objects = label_objects(images, result.labels, int(images[0][0].SeriesNumber), by_expert)
    for t, (frame, labels) in enumerate(zip(images, objects, strict=True)):
        for z, image in enumerate(frame):
            image.save_as(folder / f"image_{t:03d}_{z:03d}.dcm", enforce_file_format=True)
        labels.save_as(folder / f"segmentation_{t:03d}.dcm", enforce_file_format=True)
    return sum(len(frame) + 1 for frame in images)


def _check_study(result: SavedResult, like: Path) -> None:
    """Raise InputError unless ``result`` is of the study in ``like``: by the hash of its files, or by what
    its acquired slices show, where the study was converted in between.
    """
    if not like.is_dir():
        raise InputError("Give the DICOM folder of the study that the result came from with --like.")
    if result.record["input"]["sha256"] == input_hash(like):
        return
    if not _shows(result, read_study(like).sax):
        raise InputError(
            "The result is not of the study in the DICOM folder: its acquired slices show something else, or "
            "lie elsewhere; give the folder that it was made from."
        )


def _shows(result: SavedResult, stack: Stack) -> bool:
    """Whether the result's acquired slices are the ``stack``'s, of which blank ones are left out and others
    put straight above each other, as in the result.
    """
    stack, _ = straighten(leave_out_blank_slices(stack, None)[0])
    record, grid = result.record, result.grid
    acquired = {s: z for z, s in enumerate(record["geometry"]["acquired"]) if s is not None}
    frames, shifts = record["frames"], np.array(record["register"]["shifts_mm"], float)
    if (
        set(acquired) != set(range(len(stack.origins)))
        or len(shifts) != len(stack.origins)
        or max(frames) >= len(stack.frames)
        or stack.frames.shape[2:] != grid.shape[1:]
    ):
        return False
    places = np.array([grid.plane(z).origin for z in acquired.values()])
    if np.linalg.norm(places - stack.origins[list(acquired)], axis=1).max() > SAME_MM:
        return False
    moved = images_in_register(stack.select(frames=frames), SliceShifts(shifts))
    return all(
        np.corrcoef(moved.frames[t, s].ravel(), result.volume[t, z].ravel())[0, 1] >= LEAST_CORRELATION
        for t in range(len(frames))
        for s, z in acquired.items()
    )


def _derivation(record: dict[str, Any]) -> str:
    """How the images were made, in words."""
    shifts = record["register"]["largest_mm"]
    moved = f" Slices were moved by up to {shifts:.1f} mm in their planes." if shifts > 0 else ""
    return (
        f"Slices between the acquired ones made by dmcvr {record['versions']['dmcvr']}, method "
        f"{record['method']}.{moved} For research use only, not for diagnosis."
    )


def _origins(record: dict[str, Any]) -> tuple[str, ...]:
    """For each slice what it is."""
    kept = record["keeps_acquired"]
    guessed = set(record["geometry"]["extrapolated"])
    return tuple(
        ACQUIRED if index is not None and kept else GUESSED if z in guessed else GENERATED
        for z, index in enumerate(record["geometry"]["acquired"])
    )
