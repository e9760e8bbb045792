"""The files of a finished job, read into arrays that can be added to the scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from dmcvr.core.geometry import Grid

REPORT = "report.html"


@dataclass(frozen=True)
class ResultFiles:
    """The contents of a reconstruction's files.

    volume: (T, Z, Y, X) in the stack's intensities. labels: the same shape, 1 LVC, 2 LVM, 3 RVC.
    grid: of every frame of both, LPS mm, in the coordinates of the input stack.
    record: the contents of result.json. report: the page that shows it, HTML, or an empty text.
    """

    volume: np.ndarray
    labels: np.ndarray
    grid: Grid
    record: dict
    report: str = ""


def readResult(folder: Path, record: dict, asIntegers: bool = False) -> ResultFiles:
    """Read the volume and the labels in ``folder``; safe outside the main thread.

    asIntegers: round the volume to 16-bit integers where they can hold it. This takes half the memory, and
    changes no acquired slice of a stack whose intensities are integers.
    """
    volume, grid, _times = readImage(folder / "volume.nrrd")
    limits = np.iinfo(np.int16)
    if asIntegers and volume.min() >= limits.min and volume.max() <= limits.max:
        volume = np.rint(volume).astype(np.int16)
    labels, _grid, _times = readImage(folder / "labels.nrrd")
    return ResultFiles(volume, labels, grid, record, (folder / REPORT).read_text(encoding="utf-8"))


def readImage(path: Path) -> tuple[np.ndarray, Grid, np.ndarray | None]:
    """(T, Z, Y, X) voxels, their grid (LPS mm), and the times (T,) in ms of a file that the backend wrote."""
    image = sitk.ReadImage(str(path))
    array, times = sitk.GetArrayFromImage(image), None
    if image.GetNumberOfComponentsPerPixel() > 1:  # the list axis of a sequence comes as a pixel's components
        array = np.ascontiguousarray(np.moveaxis(array, -1, 0))
        if image.HasMetaDataKey("NRRD_units[pixel]") and image.GetMetaData("NRRD_units[pixel]") == "ms":
            times = np.array([float(word) for word in image.GetMetaData("axis 0 index values").split()])
    else:
        array = array[None]
    steps = (np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()).T
    return array, Grid(np.array(image.GetOrigin()), *steps, shape=array.shape[1:]), times
