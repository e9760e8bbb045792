import numpy as np
import pytest
from dmcvr.errors import InputError
from dmcvr.evaluation.cases import Case, DataFolder


@pytest.mark.parametrize(
    ("name", "patient", "phase"),
    [
        ("p01_ED", "p01", "ED"),
        ("p01-es", "p01", "ES"),
        ("p01", "p01", "unknown"),
        ("EDNA", "EDNA", "unknown"),
    ],
)
def test_phase_and_patient_from_the_name(prism, name, patient, phase):
    case = prism(name=name)
    assert (case.patient, case.phase) == (patient, phase)


def test_spacing_is_x_y_and_the_slices_distance(prism):
    assert prism(gap=7.5).spacing == (2.0, 2.0, 7.5)


@pytest.fixture
def folder(tmp_path, prism, write_stack):
    for name in ("p01_ED", "p01_ES", "p02_ED"):
        case = prism(count=3, name=name)
        write_stack(tmp_path / f"{name}.nrrd", case.stack)
        write_stack(tmp_path / f"{name}_gt.nrrd", case.stack, case.labels[None])
    return tmp_path


def test_pairs_are_read_in_order_and_chosen_by_name(folder, prism):
    assert [case.name for case in DataFolder(folder)] == ["p01_ED", "p01_ES", "p02_ED"]
    chosen = DataFolder(folder, pattern="p01|ES")
    assert len(chosen) == 2
    case = next(iter(chosen))
    assert isinstance(case, Case)
    np.testing.assert_array_equal(case.labels, prism(count=3).labels)
    np.testing.assert_allclose(case.stack.frames, prism(count=3).stack.frames)


def test_label_values_are_translated(tmp_path, prism, write_stack):
    case = prism(count=3)
    write_stack(tmp_path / "a.nrrd", case.stack)
    write_stack(tmp_path / "a_gt.nrrd", case.stack, np.where(case.labels > 0, 4 - case.labels, 0)[None])
    (read,) = DataFolder(tmp_path, (3, 2, 1))
    np.testing.assert_array_equal(read.labels, case.labels)
    with pytest.raises(InputError, match="swapped"):
        list(DataFolder(tmp_path, (1, 2, 3)))


@pytest.mark.parametrize(("pattern", "message"), [("nobody", "No case"), ("(", "regular expression")])
def test_a_pattern_that_matches_nothing_or_is_none_is_refused(folder, pattern, message):
    with pytest.raises(InputError, match=message):
        len(DataFolder(folder, pattern=pattern))


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(InputError, match="no pairs"):
        len(DataFolder(tmp_path))
