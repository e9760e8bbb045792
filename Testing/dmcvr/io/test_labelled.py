"""Data folders, and labels on other planes."""

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Plane
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.io.labelled import labelled_pairs, read_pairs, resample_labels


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_labels_on_their_own_plane_stay_as_they_are(labelled_case):
    stack, labels = labelled_case()
    plane = stack.plane(0)
    assert np.array_equal(resample_labels(labels[0], plane, plane), labels[0])


def test_labels_resampled_there_and_back_are_nearly_the_same(labelled_case):
    stack, labels = labelled_case()
    plane = stack.plane(0)
    fine = Plane(plane.origin - 0.3, plane.step_x / 1.7, plane.step_y / 1.7, (140, 175))
    there = resample_labels(labels[0], plane, fine)
    assert there.dtype == np.uint8
    back = resample_labels(there, fine, plane)
    for label in (LVC, LVM, RVC):
        assert dice(back == label, labels[0] == label) > 0.95


def test_between_cavity_and_background_no_wall_is_invented():
    """Averaging the numbers 0 and 3 or 1 and 3 would give labels that are not there."""
    labels = np.zeros((20, 20), np.uint8)
    labels[:, :10], labels[:, 10:] = LVC, RVC
    plane = Plane(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), (20, 20))
    fine = Plane(np.zeros(3), np.array([0.3, 0, 0]), np.array([0, 0.3, 0]), (60, 60))
    assert set(np.unique(resample_labels(labels, plane, fine))) == {LVC, RVC}


def write(path, array, spacing=(1.5, 1.5, 8.0)) -> None:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))


def test_pairs_are_read_with_the_label_values_of_the_data(labelled_case, tmp_path):
    stack, labels = labelled_case()
    acdc = np.choose(labels, [0, 3, 2, 1]).astype(np.uint8)
    for name in ("b", "a"):
        write(tmp_path / f"{name}.nii.gz", stack.frames[0])
        write(tmp_path / f"{name}_gt.nii.gz", acdc)
    assert list(labelled_pairs(tmp_path)) == ["a", "b"]
    (name, read, truth), *rest = read_pairs(tmp_path, (3, 2, 1), keep=lambda name: name != "a")
    assert not rest
    assert name == "b"
    assert truth.shape == read.frames.shape[1:]
    for label in (LVC, LVM, RVC):
        assert (truth == label).sum() == (labels == label).sum()
    assert read.frames[0][truth == LVC].min() == 700


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_pairs_is_refused(labelled_case, tmp_path, there):
    if there:
        write(tmp_path / "a.nii.gz", labelled_case()[0].frames[0])
    with pytest.raises(InputError, match="no pairs" if there else "does not exist"):
        labelled_pairs(tmp_path if there else tmp_path / "nowhere")
