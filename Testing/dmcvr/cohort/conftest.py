"""Small cohorts: labelled stacks that a baseline does in a fraction of a second."""

import csv
from dataclasses import fields, replace

import pytest
from dicomfiles import write_dicom
from dmcvr.cohort.cases import CaseList, Selection
from dmcvr.cohort.settings import Settings
from dmcvr.cohort.sources import find_stacks
from dmcvr.reconstruction.options import Options
from pydicom.uid import generate_uid


@pytest.fixture(scope="session")
def add_stack(labelled_case, write_stack):
    """Writes NAME.nrrd and NAME_gt.nrrd into a folder, or the image alone; returns the image's path."""

    def add(folder, name, labels=True, **how):
        stack, drawn = labelled_case(**how)
        path = write_stack(folder / f"{name}.nrrd", stack)
        if labels:
            write_stack(folder / f"{name}_gt.nrrd", stack, drawn[None])
        return path

    return add


@pytest.fixture
def pair(tmp_path, add_stack):
    """A folder with a_ED and a_ES; its name is not to come into any record."""
    folder = tmp_path / "Doe^Jane 19570401"
    add_stack(folder, "a_ED", slices=4)
    add_stack(folder, "a_ES", slices=3)
    return folder


@pytest.fixture
def found():
    """The cases of a folder or index."""

    def find(source, **choice):
        return list(CaseList(Selection(**choice)(find_stacks(source))))

    return find


@pytest.fixture
def settings(tmp_path):
    """A quick method into tmp_path/out, keeping records only."""
    return Settings(tmp_path / "out", Options(method="linear", spacing=4.0), model_sha256="m", keep="record")


@pytest.fixture
def case(pair, found):
    """a_ED with its labels."""
    return found(pair, expert_labels=True)[0]


@pytest.fixture
def write_index(tmp_path):
    def write(*rows):
        path = tmp_path / "index.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


@pytest.fixture(scope="session")
def write_patient():
    """Writes a stack as one DICOM file a slice, of a study of the patient's own."""

    def write(folder, stack, patient):
        study, series = generate_uid(entropy_srcs=[patient]), generate_uid()
        write_dicom(
            folder,
            stack,
            PatientID=patient,
            PatientName=f"Doe^{patient}",
            PatientBirthDate="19570401",
            StudyInstanceUID=study,
            SeriesInstanceUID=series,
        )

    return write


@pytest.fixture
def other(settings):
    """The settings with changes."""
    own = {field.name for field in fields(Options)}

    def changed(**changes):
        options = {name: value for name, value in changes.items() if name in own}
        rest = {name: value for name, value in changes.items() if name not in own}
        return replace(settings, options=replace(settings.options, **options), **rest)

    return changed
