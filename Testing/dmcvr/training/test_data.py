"""Preparing labelled stacks for training."""

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from dmcvr.errors import InputError
from dmcvr.geometry import Plane
from dmcvr.labels import LVC, LVM, RVC
from dmcvr.stack import Stack
from dmcvr.training.data import (
    canvas_plane,
    is_prepared,
    labelled_pairs,
    load,
    prepare,
    read_pairs,
    resample_labels,
)
from dmcvr.training.slices import CANVAS, WHITE


def case(row: int = 40, bright: float = 700.0, slices: int = 3) -> tuple[Stack, np.ndarray]:
    """A stack of 1.5 mm pixels, 80 x 100, with a bright cavity in a wall about (row, 52), and its labels."""
    rows, columns = np.mgrid[:80, :100]
    away = np.hypot(rows - row, columns - 52)
    labels = np.zeros((slices, 80, 100), np.uint8)
    labels[:, away < 14] = LVM
    labels[:, away < 9] = LVC
    labels[:, np.hypot(rows - row, columns - 30) < 7] = RVC
    frames = (100 + (labels == LVC) * (bright - 100)).astype(np.float32)[None]
    origins = np.array([[5.0, 6.0, 8.0 * index] for index in range(slices)])
    return Stack(frames, origins, np.array([1.5, 0, 0]), np.array([0, 1.5, 0])), labels


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_prepared_slices_come_back_from_disk(tmp_path):
    cases = [("one", *case()), ("two", *case(30, 3000.0, 2))]
    data = prepare(iter(cases), tmp_path / "new" / "folder", 1.5)
    again = load(tmp_path / "new" / "folder")
    for slices in (data, again):
        assert slices.images.shape == slices.labels.shape == (5, CANVAS, CANVAS)
        assert slices.images.dtype == slices.labels.dtype == torch.uint8
        assert slices.stacks.tolist() == [0, 0, 0, 1, 1]
        assert slices.names == ("one", "two")
        assert slices.spacings.tolist() == [1.5] * 5
    assert torch.equal(data.images, again.images)
    assert torch.equal(data.labels, again.labels)


def test_prepared_slices_are_mapped_not_read(tmp_path):
    """What is written to the file afterwards shows, which it would not in a copy."""
    data = prepare([("one", *case())], tmp_path, 1.5)
    on_disk = np.load(tmp_path / "images.npy", mmap_mode="r+")
    on_disk[0, 0, 0] = 77
    on_disk.flush()
    assert data.images[0, 0, 0] == 77


def test_each_stack_may_keep_its_own_pixels(tmp_path):
    stack, labels = case()
    data = prepare([("one", stack, labels)], tmp_path, None)
    assert data.spacings.tolist() == [1.5] * 3
    assert (data.labels[0] == LVC).sum() == (labels[0] == LVC).sum()


def test_a_preparation_that_was_killed_is_made_again(tmp_path):
    prepare([("one", *case())], tmp_path, 1.5)
    assert is_prepared(tmp_path)
    (tmp_path / "stacks.json").unlink()
    assert not is_prepared(tmp_path)
    with pytest.raises(InputError, match="not complete"):
        load(tmp_path)


def test_prepared_slices_are_centred_scaled_and_labelled_alike(tmp_path):
    data = prepare([("one", *case()), ("two", *case(30, 3000.0))], tmp_path, 1.5)
    for index, row in ((0, 40), (3, 30)):
        # The middle of an 80 x 100 image, (39.5, 49.5), is the middle of the canvas, (127.5, 127.5).
        top, left = 88, 78
        want = case(row)[1][0]
        got = data.labels[index].numpy()
        assert np.array_equal(got[top : top + 80, left : left + 100], want)
        assert got.sum() == want.sum()
        cavity = got == LVC
        assert data.images[index].numpy()[cavity] / WHITE == pytest.approx(1, abs=0.01)
        assert data.centres[index].numpy() == pytest.approx(np.argwhere(got > 0).mean(0), abs=1e-3)


@pytest.mark.parametrize("spacing", [1.0, 3.0])
def test_prepared_slices_have_the_spacing_asked_for(tmp_path, spacing):
    data = prepare([("one", *case())], tmp_path, spacing)
    area = (case()[1][0] == LVC).sum() * 1.5**2
    assert int((data.labels[0] == LVC).sum()) * spacing**2 == pytest.approx(area, rel=0.05)


def test_cases_without_labels_are_left_out(tmp_path):
    stack, labels = case()
    data = prepare([("empty", stack, labels * 0), ("full", stack, labels)], tmp_path, 1.5)
    assert data.names == ("full",)
    assert data.stacks.tolist() == [0, 0, 0]


def test_nothing_to_train_on_is_said(tmp_path):
    stack, labels = case()
    with pytest.raises(InputError, match="No labelled stack"):
        prepare([("empty", stack, labels * 0)], tmp_path, 1.5)
    assert not list(tmp_path.iterdir())


def test_the_canvas_is_about_the_middle_and_parallel():
    plane = Plane(np.array([3.0, -8, 20]), np.array([0, 1.2, 0]), np.array([0, 0, 1.4]), (70, 90))
    canvas = canvas_plane(plane, 1.5)
    assert canvas.shape == (CANVAS, CANVAS)
    assert canvas.centre == pytest.approx(plane.centre)
    assert canvas.spacing == pytest.approx((1.5, 1.5))
    assert canvas.normal == pytest.approx(plane.normal)


def test_labels_on_their_own_plane_stay_as_they_are():
    stack, labels = case()
    plane = stack.plane(0)
    assert np.array_equal(resample_labels(labels[0], plane, plane), labels[0])


def test_labels_resampled_there_and_back_are_nearly_the_same():
    stack, labels = case()
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


def test_pairs_are_read_with_the_label_values_of_the_data(tmp_path):
    stack, labels = case()
    acdc = np.choose(labels, [0, 3, 2, 1]).astype(np.uint8)
    for name in ("b", "a"):
        write(tmp_path / f"{name}.nii.gz", stack.frames[0])
        write(tmp_path / f"{name}_gt.nii.gz", acdc)
    write(tmp_path / "c_gt.nii.gz", acdc)
    assert [name for name, _, _ in labelled_pairs(tmp_path)] == ["a", "b"]
    (name, read, truth), *rest = read_pairs(tmp_path, (3, 2, 1), keep=lambda name: name != "a")
    assert not rest
    assert name == "b"
    assert truth.shape == read.frames.shape[1:]
    for label in (LVC, LVM, RVC):
        assert (truth == label).sum() == (labels == label).sum()
    assert read.frames[0][truth == LVC].min() == 700


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_pairs_is_refused(tmp_path, there):
    if there:
        write(tmp_path / "a.nii.gz", case()[0].frames[0])
    with pytest.raises(InputError, match="no pairs"):
        labelled_pairs(tmp_path if there else tmp_path / "nowhere")
