"""Reading the shape model and deforming its mean heart."""

import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.io.volumes import read_grid
from dmcvr.simulation.shapemodel import read_shape_model
from dmcvr.simulation.shapemodel.flow import shoot
from dmcvr.simulation.shapemodel.heart_shape import LANDMARKS, find_landmarks
from scipy import ndimage


def test_no_momenta_give_the_mean_heart(made_up):
    same = made_up.deform(made_up.subjects[0] * 0)
    mean = made_up.mean
    points = mean.grid.position(np.moveaxis(np.indices(mean.grid.shape), 0, -1))
    assert np.array_equal(same.grid.sample(same.tissues, points, order=0), mean.tissues)
    assert same.landmarks == pytest.approx(mean.landmarks)


def test_parts_move_with_the_deformation(made_up, deformed):
    """The cavity's middle and its volume, from points carried forward instead of voxels drawn back."""
    flow = shoot(made_up.control_points, made_up.subjects[0], made_up.kernel_width, made_up.steps)
    mean = made_up.mean
    for tissue in (LVC, LVM, RVC):
        there = flow.carry(mean.grid.position(np.argwhere(mean.tissues == tissue)))
        found = deformed.grid.position(np.argwhere(deformed.tissues == tissue))
        assert (
            np.linalg.norm(there.mean(0) - mean.grid.position(np.argwhere(mean.tissues == tissue)).mean(0))
            > 1
        )
        # Where space is stretched fewer carried points lie, so their mean is only near that of the voxels.
        assert found.mean(0) == pytest.approx(there.mean(0), abs=1.5)
        inside = deformed.grid.sample(deformed.tissues, there, order=0) == tissue
        assert inside.mean() > 0.97


def test_landmarks_are_where_the_valves_are(made_up):
    found = dict(zip(LANDMARKS, made_up.mean.landmarks, strict=True))
    assert found["mitral"] == pytest.approx([-8, 8, 1], abs=0.6)
    assert found["tricuspid"] == pytest.approx([-42, 8, 1], abs=0.6)
    assert found["aortic"] == pytest.approx([8, -9, 1], abs=0.6)
    assert found["pulmonary"] == pytest.approx([-36, -14, 1], abs=0.6)
    assert found["aorta"][2] > 25
    u, v, w = made_up.mean.axes
    assert w @ [0, 0, 1] > 0.85
    assert u @ [-1, 0, 0] > 0.93
    assert v == pytest.approx(np.cross(w, u))
    with pytest.raises(ValueError, match="valves lie between"):
        find_landmarks(np.where(made_up.mean.tissues == 9, 0, made_up.mean.tissues), made_up.mean.grid)


def test_random_hearts_vary_as_the_modes_do(made_up):
    drawn = [made_up.random_momenta(np.random.default_rng(seed)) for seed in range(300)]
    assert np.mean(drawn, axis=0) == pytest.approx(made_up.mean_momenta, abs=0.5)
    expected = np.sqrt(((made_up.mode_sd[:, None, None] * made_up.modes) ** 2).sum(0))
    assert np.std(drawn, axis=0) == pytest.approx(expected, rel=0.3, abs=0.05)


def test_a_folder_without_a_model_is_refused(tmp_path, shape_model_folder):
    with pytest.raises(InputError, match="lacks"):
        read_shape_model(tmp_path)
    shutil.copytree(shape_model_folder, tmp_path / "copy")
    (tmp_path / "copy" / "shape_model.npz").write_bytes(b"PK damaged")
    with pytest.raises(InputError, match="damaged"):
        read_shape_model(tmp_path / "copy")


@pytest.fixture(scope="module")
def real_shape(real_model):
    return real_model.deform(real_model.subjects[4])


def test_a_real_subject_comes_out_as_its_own_volume(real_folder, real_shape):
    """The subjects' volumes were made from surfaces, outside this project."""
    path = real_folder / "labels_1mm" / "subj05.nii.gz"
    grid, labels = read_grid(path), sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    points = grid.position(np.moveaxis(np.indices(grid.shape), 0, -1))
    mine = real_shape.grid.sample(real_shape.tissues, points, order=0)
    for label in (LVC, LVM, RVC):
        both = ((mine == label) & (labels == label)).sum()
        assert 2 * both / ((mine == label).sum() + (labels == label).sum()) > 0.96
        assert real_shape.volume_ml(label) == pytest.approx((labels == label).sum() / 1000, rel=0.005)


def test_real_surfaces_are_the_borders_of_the_deformed_volume(real_folder, real_model, real_shape):
    flow = shoot(real_model.control_points, real_model.subjects[4], real_model.kernel_width, real_model.steps)
    with np.load(real_folder / "shape_model.npz") as file:
        surface = flow.carry(file["LV_v"][::100])
    muscle = real_shape.tissues == LVM
    to_border = ndimage.distance_transform_edt(muscle) + ndimage.distance_transform_edt(~muscle) - 0.5
    assert real_shape.grid.sample(to_border, surface).mean() < 0.6
