import re

import numpy as np
import pytest
from dmcvr.cohort.work import gathered
from dmcvr.core.errors import InputError
from dmcvr.io.inputs import read_input


def test_a_tree_of_patients(found, write_patient, labelled_case, tmp_path):
    for patient, slices in (("4711", 3), ("4712", 4)):
        write_patient(
            tmp_path / "export" / f"Doe_{patient}" / "SE1", labelled_case(slices=slices)[0], patient
        )
    cases = found(tmp_path / "export")
    assert len({case.name for case in cases}) == 2
    for case, slices in zip(cases, (3, 4), strict=True):
        assert re.fullmatch("exam-[0-9a-f]{12}", case.name)
        assert case.subject == case.name
        assert len(case.inputs) == slices
    assert [case.name for case in found(tmp_path / "export")] == [case.name for case in cases]


def test_patients_mixed_in_one_folder_are_told_apart(found, write_patient, labelled_case, tmp_path):
    folder = tmp_path / "all"
    stacks = {slices: labelled_case(slices=slices, bright=100.0 * slices)[0] for slices in (3, 4)}
    for slices, stack in stacks.items():
        write_patient(folder, stack, f"p{slices}")
    for case in found(folder):
        with gathered(case, tmp_path) as path:
            stack = read_input(path).stack
        np.testing.assert_array_equal(stack.frames, stacks[len(case.files)].frames)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all"]


def test_a_damaged_patient_does_not_stop_the_others(found, write_patient, labelled_case, tmp_path):
    stack, _ = labelled_case()
    for patient in ("1", "2", "3"):
        write_patient(tmp_path / "export" / "all" / patient, stack, patient)
    broken = sorted((tmp_path / "export" / "all" / "2").iterdir())[1]
    broken.write_bytes(broken.read_bytes()[:142])
    cases = found(tmp_path / "export")
    assert [case.path.name for case in cases] == ["1", "2", "3"]
    with pytest.raises(InputError, match="damaged"):
        read_input(cases[1].path)
    assert len({case.name for case in cases}) == 3


def test_a_folder_without_images(found, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "letter.txt").write_text("Dear colleague")
    (tmp_path / "empty").mkdir()
    for folder in ("notes", "empty"):
        with pytest.raises(InputError, match="neither image files nor DICOM"):
            found(tmp_path / folder)
