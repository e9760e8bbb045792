import gzip

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid
from dmcvr.io import nrrd

ROTATION = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]


@pytest.fixture
def grid():
    steps = ROTATION * np.linalg.det(ROTATION) * [1.4, 1.3, 1.77]
    return Grid(np.array([-123.456789012345, 33.3, 1 / 3]), *steps.T, (4, 5, 6))


def header(path):
    lines = path.read_bytes().split(b"\n\n")[0].decode().splitlines()
    return dict(
        line.split(":=" if ":=" in line else ": ", 1) for line in lines[1:] if not line.startswith("#")
    )


def vector(text):
    return np.array([float(number) for number in text.strip("()").split(",")])


def test_volume_keeps_values_and_exact_geometry(tmp_path, grid):
    array = np.random.default_rng(0).normal(size=grid.shape).astype(np.float32)
    nrrd.write_volume(tmp_path / "v.nrrd", array, grid)
    fields = header(tmp_path / "v.nrrd")
    steps = [vector(text) for text in fields["space directions"].split()]
    assert np.array_equal(steps, [grid.step_x, grid.step_y, grid.step_z])
    assert np.array_equal(vector(fields["space origin"]), grid.origin)
    image = sitk.ReadImage(str(tmp_path / "v.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(image), array)
    corner = image.TransformContinuousIndexToPhysicalPoint((5.0, 4.0, 3.0))
    np.testing.assert_allclose(corner, grid.position([3, 4, 5]), atol=1e-9)


def test_going_to_integers_rounds_and_clips(tmp_path, grid):
    array = np.full(grid.shape, 1.6)
    array[0, 0, :3] = [-5, 300, 2.4]
    nrrd.write_volume(tmp_path / "v.nrrd", array, grid, dtype=np.uint8)
    read = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "v.nrrd")))
    assert read.dtype == np.uint8
    assert read[0, 0, :4].tolist() == [0, 255, 2, 2]


@pytest.mark.parametrize("dtype", [">i2", "<u2", ">f8", "bool"])
def test_byte_order_and_type_of_the_array_do_not_matter(tmp_path, grid, dtype):
    array = np.arange(np.prod(grid.shape)).reshape(grid.shape).astype(dtype)
    nrrd.write_volume(tmp_path / "v.nrrd", array, grid)
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "v.nrrd"))), array)


def test_sequence_has_the_fields_slicer_reads(tmp_path, grid):
    array = np.arange(3 * np.prod(grid.shape), dtype=np.int16).reshape(3, *grid.shape)
    nrrd.write_volume(tmp_path / "v.nrrd", array, grid, np.array([0, 33.24, 66.5]), labels=True)
    fields = header(tmp_path / "v.nrrd")
    assert fields["kinds"] == "list domain domain domain"
    assert fields["sizes"] == "3 6 5 4"
    assert fields["space directions"].startswith("none (")
    assert fields["axis 0 index type"] == "numeric"
    assert fields["axis 0 index values"] == "0 33.24 66.5"
    assert fields["labels"] == '"time" "" "" ""'
    assert fields["units"] == '"ms" "" "" ""'
    assert fields["DataNodeClassName"] == "vtkMRMLLabelMapVolumeNode"
    data = gzip.decompress((tmp_path / "v.nrrd").read_bytes().split(b"\n\n", 1)[1])
    stored = np.frombuffer(data, "<i2").reshape(4, 5, 6, 3)
    assert np.array_equal(np.moveaxis(stored, -1, 0), array)


def test_segmentation_names_colours_and_extents(tmp_path, grid):
    labels = np.zeros(grid.shape, np.int64)
    labels[1:3, 2:4, 1:5] = 2
    labels[2, 3, 2] = 1
    nrrd.write_segmentation(tmp_path / "s.seg.nrrd", labels, grid)
    image = sitk.ReadImage(str(tmp_path / "s.seg.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(image), labels)
    fields = header(tmp_path / "s.seg.nrrd")
    assert [fields[f"Segment{n}_Name"] for n in range(3)] == ["LVC", "LVM", "RVC"]
    assert [fields[f"Segment{n}_LabelValue"] for n in range(3)] == ["1", "2", "3"]
    assert [fields[f"Segment{n}_Extent"] for n in range(3)] == [
        "2 2 3 3 2 2",
        "1 4 2 3 1 2",
        "0 -1 0 -1 0 -1",
    ]
    assert "SCT^87878005^Left ventricle" in fields["Segment0_Tags"]
    assert "SCT^74281007^Myocardium" in fields["Segment1_Tags"]
    assert "SCT^53085002^Right ventricle" in fields["Segment2_Tags"]
    assert float(fields["Segment0_Color"].split()[0]) == pytest.approx(214 / 255)


def test_same_input_gives_the_same_bytes(tmp_path, grid):
    for name in ("a", "b"):
        nrrd.write_volume(tmp_path / name, np.ones(grid.shape), grid)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_sheared_grid_is_refused(tmp_path, grid):
    sheared = Grid(grid.origin, grid.step_x, grid.step_y, grid.step_z + 0.1 * grid.step_x, grid.shape)
    with pytest.raises(InputError, match="sideways"):
        nrrd.write_volume(tmp_path / "v.nrrd", np.ones(grid.shape), sheared)
    assert not list(tmp_path.iterdir())


def test_arrays_that_do_not_fit_are_errors(tmp_path, grid):
    with pytest.raises(ValueError, match="does not fit"):
        nrrd.write_volume(tmp_path / "v.nrrd", np.ones((2, 2, 2)), grid)
    with pytest.raises(ValueError, match="times"):
        nrrd.write_volume(tmp_path / "v.nrrd", np.ones((3, *grid.shape)), grid, np.arange(2))
    with pytest.raises(ValueError, match="one volume"):
        nrrd.write_segmentation(tmp_path / "v.nrrd", np.ones((3, *grid.shape)), grid)
