"""NIfTI files that this program writes, opened by SimpleITK and nibabel."""

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid
from dmcvr.io.image_writer import write_frames
from dmcvr.io.label_files import read_labels
from dmcvr.io.volumes import read_stack

TURN = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
TURN *= np.sign(np.linalg.det(TURN))
GRID = Grid.of_steps(np.array([-12.5, 30.25, 99.0]), TURN * [[1.4], [1.5], [2.0]], (6, 40, 50))
TIMES = np.array([12.0, 52.0, 92.0])


def frames(count, seed=0):
    noise = np.random.default_rng(seed).normal(300, 80, (count, *GRID.shape))
    return noise.astype(np.float32)


def test_a_volume_lies_at_its_place_for_other_programs(tmp_path):
    array = frames(1)
    write_frames(tmp_path / "volume.nii.gz", array, GRID)
    image = sitk.ReadImage(str(tmp_path / "volume.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), array[0])
    for index in ((0, 0, 0), (49, 0, 5), (7, 39, 3)):
        expected = GRID.position(index[::-1])
        np.testing.assert_allclose(image.TransformIndexToPhysicalPoint(index), expected, atol=1e-3)
    header = nibabel.load(tmp_path / "volume.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
    np.testing.assert_allclose(header.get_sform(), header.get_qform(), atol=1e-3)
    assert header.get_xyzt_units()[0] == "mm"


def test_a_cine_is_one_file_of_four_dimensions_that_comes_back_with_its_times(tmp_path):
    array = frames(3)
    for name in ("cine.nii.gz", "cine.nii", "cine.nrrd"):
        write_frames(tmp_path / name, array, GRID, TIMES)
        stack = read_stack(tmp_path / name)
        np.testing.assert_array_equal(stack.frames, array)
        np.testing.assert_allclose(np.diff(stack.times), 40, atol=1e-3)
        np.testing.assert_allclose(stack.origins, GRID.position([[z, 0, 0] for z in range(6)]), atol=1e-3)
    image = nibabel.load(tmp_path / "cine.nii.gz")
    assert image.shape == (50, 40, 6, 3)
    assert image.header.get_xyzt_units() == ("mm", "msec")
    assert float(image.header["toffset"]) == 12


def test_labels_come_back_as_labels(tmp_path):
    labels = np.zeros((2, *GRID.shape), np.uint8)
    labels[:, 1:5, 5:35, 5:45], labels[:, 2:4, 10:25, 10:25] = 2, 1
    write_frames(tmp_path / "labels.nii.gz", labels, GRID, labels=True)
    write_frames(tmp_path / "image.nrrd", frames(2), GRID)
    image = nibabel.load(tmp_path / "labels.nii.gz")
    assert image.get_data_dtype() == np.uint8
    assert image.header.get_intent()[0] == "label"
    np.testing.assert_array_equal(
        read_labels(tmp_path / "labels.nii.gz", read_stack(tmp_path / "image.nrrd")), labels
    )


def test_the_same_image_gives_the_same_bytes_without_a_name_or_time(tmp_path):
    (tmp_path / "Doe^Jane").mkdir()
    paths = tmp_path / "volume.nii.gz", tmp_path / "Doe^Jane" / "volume.nii.gz"
    for path in paths:
        write_frames(path, frames(1), GRID)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"Doe" not in paths[1].read_bytes()


def test_a_sheared_grid_is_refused(tmp_path):
    sheared = Grid(GRID.origin, GRID.step_x, GRID.step_y, GRID.step_z + 0.3 * GRID.step_x, GRID.shape)
    with pytest.raises(InputError, match="sideways"):
        write_frames(tmp_path / "volume.nii.gz", frames(1), sheared)
    assert not list(tmp_path.iterdir())
