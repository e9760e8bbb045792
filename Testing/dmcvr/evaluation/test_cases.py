from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC
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


def test_a_thinned_case_is_one_that_was_acquired_more_sparsely(prism):
    case = prism(count=5, gap=7.5)
    thinned = case.thinned(2)
    assert thinned.spacing == (2.0, 2.0, 15.0)
    assert np.array_equal(thinned.labels, case.labels[[0, 2, 4]])
    assert np.array_equal(thinned.stack.frames, case.stack.frames[:, [0, 2, 4]])
    assert np.array_equal(case.thinned(1).labels, case.labels)
    with pytest.raises(InputError, match="fewer than two"):
        case.thinned(5)


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
    with pytest.raises(InputError, match="does not exist"):
        len(DataFolder(tmp_path / "nowhere"))


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".mha"])
def test_every_documented_ending_is_read(tmp_path, prism, ending):
    case = prism(count=3)
    for name, array in (("p01_es", case.stack.frames[0]), ("p01_es_gt", case.labels)):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(case.spacing)
        sitk.WriteImage(image, tmp_path / f"{name}{ending}")
    (tmp_path / "index.csv").write_text("not an image")
    (tmp_path / f"._p01_es_gt{ending}").write_bytes(b"what some systems leave behind")
    (read,) = DataFolder(tmp_path)
    assert (read.name, read.patient, read.phase) == ("p01_es", "p01", "ES")
    np.testing.assert_array_equal(read.labels, case.labels)
    assert read.spacing == pytest.approx(case.spacing)


def test_labels_without_an_image_of_the_same_ending_are_refused(folder):
    (folder / "p02_ED.nrrd").rename(folder / "p02_ED.mha")
    with pytest.raises(InputError, match=r"labels of p02_ED .* have no image"):
        len(DataFolder(folder))


def test_two_pairs_of_one_name_are_refused(folder):
    for name in ("p02_ED", "p02_ED_gt"):
        (folder / f"{name}.mha").write_bytes(b"")
    with pytest.raises(InputError, match="the name p02_ED"):
        len(DataFolder(folder))


def test_a_case_that_cannot_be_read_is_named(folder):
    (folder / "p01_ES.nrrd").write_text("nonsense")
    cases = iter(DataFolder(folder))
    assert next(cases).name == "p01_ED"
    with pytest.raises(InputError, match=r"^Case p01_ES: The image file cannot be read"):
        next(cases)


def test_empty_labels_of_the_first_frame_are_refused(tmp_path, prism, write_stack):
    case = prism(count=3)
    two = replace(case.stack, frames=np.repeat(case.stack.frames, 2, 0))
    write_stack(tmp_path / "a.nrrd", two)
    write_stack(tmp_path / "a_gt.nrrd", two, np.stack([0 * case.labels, case.labels]))
    with pytest.raises(InputError, match="Case a: The labels of the first frame are empty"):
        list(DataFolder(tmp_path))


def test_volumes_are_by_disc_summation(prism):
    case = prism(count=4, gap=5.0)
    area_mm2 = (case.labels[0] == LVC).sum() * 4
    assert case.volumes(case.labels)["LVC"] == pytest.approx(4 * 5 * area_mm2 / 1000)
