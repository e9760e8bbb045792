import json

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.metrics import dice
from dmcvr.io.label_files import read_labels
from dmcvr.io.volumes import read_stack


def load(path):
    image = sitk.ReadImage(str(path))
    return sitk.GetArrayFromImage(image), image


def test_labels_lie_on_the_inputs_own_grid(call, files, heart, tmp_path):
    output = tmp_path / "new" / "labels.nrrd"
    answer = call("segment", files["sax"], "--output", output, "--json")
    assert (answer.code, answer.err) == (0, "")
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert lines[-2:] == [
        {"stage": "segment", "done": 4, "total": 4},
        {"output": str(output), "warnings": []},
    ]
    labels = read_labels(output, read_stack(files["sax"]))
    for label, least in {LVC: 0.982, LVM: 0.95, RVC: 0.968}.items():  # .988, .956, .974
        assert dice(labels == label, heart[1] == label) > least
    assert [path.name for path in output.parent.iterdir()] == ["labels.nrrd"]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".nii.gz", ".mha"])
def test_a_file_whose_slices_run_the_other_way_keeps_its_order(call, files, tmp_path, suffix):
    voxels, image = load(files["sax"])
    turned = image[:, :, ::-1]  # the same places, counted from the other end: a left-handed file
    path = tmp_path / f"turned{suffix}"
    sitk.WriteImage(turned, str(path))
    for source, name in ((files["sax"], "plain"), (path, "turned")):
        assert call("segment", source, "--output", tmp_path / f"{name}.nrrd").code == 0
    plain, _ = load(tmp_path / "plain.nrrd")
    labels, made = load(tmp_path / "turned.nrrd")
    assert (labels == plain[::-1]).mean() > 0.999  # NIfTI rounds the geometry
    assert made.GetSize() == turned.GetSize()
    np.testing.assert_allclose(made.GetOrigin(), turned.GetOrigin(), atol=1e-3)
    np.testing.assert_allclose(made.GetDirection(), turned.GetDirection(), atol=1e-5)
    np.testing.assert_allclose(made.GetSpacing(), turned.GetSpacing(), atol=1e-5)
    assert labels.shape == voxels.shape


def test_every_frame_of_a_cine_is_labelled(call, files, tmp_path):
    answer = call("segment", files["cine"], "--output", tmp_path / "labels.nrrd")
    assert answer.out == f"Labels of 4 slices in 2 frames: {tmp_path / 'labels.nrrd'}\n"
    stack = read_stack(files["cine"])
    labels = read_labels(tmp_path / "labels.nrrd", stack)
    assert labels.shape == stack.frames.shape
    assert labels.any((1, 2, 3)).all()


def test_labels_as_nifti_lie_on_the_inputs_own_grid_and_are_replaced(call, files, tmp_path):
    for _ in range(2):
        answer = call("segment", files["sax"], "-o", tmp_path / "labels.nii.gz", "--quiet")
        assert (answer.code, answer.out, answer.err) == (0, "", "")
    labels, image = load(tmp_path / "labels.nii.gz")
    voxels, source = load(files["sax"])
    assert labels.shape == voxels.shape
    assert set(np.unique(labels)) == {0, LVC, LVM, RVC}
    np.testing.assert_allclose(image.GetOrigin(), source.GetOrigin(), atol=1e-3)
    (tmp_path / "labels.nii.gz").write_bytes(b"corrected by hand")
    assert call("segment", files["sax"], "-o", tmp_path / "labels.nii.gz").code == 2


@pytest.mark.parametrize("name", ["labels.nii.bz2", "labels", "labels.seg.nrrd", "labels.png"])
def test_only_label_volumes_are_written(refused, files, tmp_path, name):
    assert "labels.nrrd" in refused("segment", files["sax"], "--output", tmp_path / name)


def test_the_input_is_never_overwritten(refused, files, tmp_path):
    path = tmp_path / "sax.nrrd"
    path.write_bytes(files["sax"].read_bytes())
    assert "overwrite the input" in refused("segment", path, "--output", path)
    assert path.read_bytes() == files["sax"].read_bytes()


def test_an_output_that_is_a_folder_is_refused(refused, files, tmp_path):
    (tmp_path / "labels.nrrd").mkdir()
    assert "file name" in refused("segment", files["sax"], "--output", tmp_path / "labels.nrrd")
