"""Preparing labelled stacks for training."""

import numpy as np
import pytest
import torch
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Plane
from dmcvr.core.labels import LVC
from dmcvr.training.data import canvas_plane, is_prepared, load, prepare
from dmcvr.training.slices import CANVAS, WHITE


def test_prepared_slices_come_back_from_disk(labelled_case, tmp_path):
    cases = [("one", *labelled_case()), ("two", *labelled_case(30, 3000.0, 2))]
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


def test_prepared_slices_are_mapped_not_read(labelled_case, tmp_path):
    """What is written to the file afterwards shows, which it would not in a copy."""
    data = prepare([("one", *labelled_case())], tmp_path, 1.5)
    on_disk = np.load(tmp_path / "images.npy", mmap_mode="r+")
    on_disk[0, 0, 0] = 77
    on_disk.flush()
    assert data.images[0, 0, 0] == 77


def test_each_stack_may_keep_its_own_pixels(labelled_case, tmp_path):
    stack, labels = labelled_case()
    data = prepare([("one", stack, labels)], tmp_path, None)
    assert data.spacings.tolist() == [1.5] * 3
    assert (data.labels[0] == LVC).sum() == (labels[0] == LVC).sum()


def test_a_preparation_that_was_killed_is_made_again(labelled_case, tmp_path):
    prepare([("one", *labelled_case())], tmp_path, 1.5)
    assert is_prepared(tmp_path)
    (tmp_path / "stacks.json").unlink()
    assert not is_prepared(tmp_path)
    with pytest.raises(InputError, match="not complete"):
        load(tmp_path)


def test_prepared_slices_are_centred_scaled_and_labelled_alike(labelled_case, tmp_path):
    data = prepare([("one", *labelled_case()), ("two", *labelled_case(30, 3000.0))], tmp_path, 1.5)
    for index, row in ((0, 40), (3, 30)):
        # The middle of an 80 x 100 image, (39.5, 49.5), is the middle of the canvas, (127.5, 127.5).
        top, left = 88, 78
        want = labelled_case(row)[1][0]
        got = data.labels[index].numpy()
        assert np.array_equal(got[top : top + 80, left : left + 100], want)
        assert got.sum() == want.sum()
        cavity = got == LVC
        assert data.images[index].numpy()[cavity] / WHITE == pytest.approx(1, abs=0.01)
        assert data.centres[index].numpy() == pytest.approx(np.argwhere(got > 0).mean(0), abs=1e-3)


@pytest.mark.parametrize("spacing", [1.0, 2.8])  # at twice the pixels' size classes tie
def test_prepared_slices_have_the_spacing_asked_for(labelled_case, tmp_path, spacing):
    data = prepare([("one", *labelled_case())], tmp_path, spacing)
    area = (labelled_case()[1][0] == LVC).sum() * 1.5**2
    assert int((data.labels[0] == LVC).sum()) * spacing**2 == pytest.approx(area, rel=0.05)


def test_cases_without_labels_are_left_out(labelled_case, tmp_path):
    stack, labels = labelled_case()
    data = prepare([("empty", stack, labels * 0), ("full", stack, labels)], tmp_path, 1.5)
    assert data.names == ("full",)
    assert data.stacks.tolist() == [0, 0, 0]


def test_nothing_to_train_on_is_said(labelled_case, tmp_path):
    stack, labels = labelled_case()
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
