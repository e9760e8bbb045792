"""What is fuzzed: every way in by which a file is read."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dmcvr.cli.job_file import JOB_FILE, read_job
from dmcvr.core.errors import InputError
from dmcvr.evaluation.contours import read_contours
from dmcvr.io.label_files import read_labels
from dmcvr.io.volumes import read_grid, read_lax, read_stack
from dmcvr.model.bundle import read_card
from dmcvr.model.inference import Model

from . import samples


@dataclass(frozen=True)
class Sample:
    """A valid file: the name under which its damaged copies are written, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Reader:
    """One way in.

    make: writes what is needed beside the damaged file into an empty folder, and gives the samples.
    read: reads the file, which lies in that folder; raises InputError where it is bad.
    """

    make: Callable[[Path], list[Sample]]
    read: Callable[[Path], object]


def _images(suffix: str) -> Reader:
    def make(folder: Path) -> list[Sample]:
        return [Sample(f"damaged{suffix}", data) for data in samples.images(folder, suffix)]

    return Reader(make, _read_image)


def _make_nifti2(folder: Path) -> list[Sample]:
    """Under a name that is wrong for some: files are read by what they hold."""
    return [Sample("damaged.nii.gz", data) for data in samples.nifti2()]


def _read_image(path: Path) -> None:
    """By all that take such a file: each may stumble where another does not look."""
    refused = None
    for read in (read_stack, read_lax, read_grid):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # said of odd input, and meant
                read(path)
        except InputError as error:
            refused = error
    if refused is not None:
        raise refused


def _make_labels(folder: Path) -> list[Sample]:
    return [
        Sample(f"damaged{suffix}", data)
        for suffix, files in samples.label_files(folder).items()
        for data in files
    ]


def _read_labels(path: Path) -> None:
    read_labels(path, samples.stack(), warn=lambda message: None)


def _make_dicom(folder: Path) -> list[Sample]:
    """Two good slices; the damaged one between them comes first by its name."""
    for number in (0, 2):
        data = samples.dicom_bytes(samples.dicom_slice(number))
        (folder / f"{number}.dcm").write_bytes(data)
    return [Sample("0-damaged.dcm", data) for data in samples.dicom_files(folder)]


def _read_dicom(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said of odd input, and meant
        read_stack(path.parent)


def _make_cine(folder: Path) -> list[Sample]:
    """The first and the last slice of a cine; the damaged file holds what is between them."""
    for number in (0, 2):
        (folder / f"{number}.dcm").write_bytes(samples.dicom_bytes(samples.dicom_cine(number)))
    return [Sample("0-damaged.dcm", data) for data in samples.dicom_cines(folder)]


def _make_contours(folder: Path) -> list[Sample]:
    return [Sample("damaged.txt", samples.contour_file(count)) for count in (1, 4)]


def _make_job(folder: Path) -> list[Sample]:
    return [Sample(JOB_FILE, samples.job_file(folder))]


def _read_job(path: Path) -> None:
    read_job(path.parent)


def _make_model(folder: Path) -> list[Sample]:
    samples.model_folder(folder / "model")
    for path in (folder / "model").iterdir():
        path.rename(folder / path.name)
    return [Sample("model.json", (folder / "model.json").read_bytes())]


def _read_model(path: Path) -> None:
    card = read_card(path.parent)
    model = Model.load(path.parent, "cpu", "float32")
    assert model.card == card


READERS: dict[str, Reader] = {
    "nifti": _images(".nii"),
    "nifti.gz": _images(".nii.gz"),
    "nifti2": Reader(_make_nifti2, _read_image),
    "nrrd": _images(".nrrd"),
    "mha": _images(".mha"),
    "dicom": Reader(_make_dicom, _read_dicom),
    "dicom.cine": Reader(_make_cine, _read_dicom),
    "labels": Reader(_make_labels, _read_labels),
    "contours": Reader(_make_contours, read_contours),
    "job": Reader(_make_job, _read_job),
    "model": Reader(_make_model, _read_model),
}
