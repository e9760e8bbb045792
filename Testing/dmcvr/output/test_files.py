import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC, NAMES
from dmcvr.core.stack import stack_grid
from dmcvr.io.inputs import Input
from dmcvr.io.label_files import read_labels
from dmcvr.io.volumes import read_stack
from dmcvr.output.files import write_reconstruction
from dmcvr.output.record import make_record
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct

OPTIONS = Options(method="linear", spacing=5)


def write(folder, result, **changes):
    record = make_record(result, OPTIONS, None, ("0" * 64, None), Input(result.stack), {})
    write_reconstruction(folder, result, replace(record, **changes))


@pytest.fixture(scope="module")
def still(heart, tmp_path_factory):
    folder = tmp_path_factory.mktemp("still")
    result = reconstruct(heart[0], None, OPTIONS, labels=heart[1])
    write(folder, result)
    return folder, result


@pytest.fixture(scope="module")
def moving(cine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("moving")
    options = Options(method="linear", spacing=5, frame="all")
    result = reconstruct(cine.sax, None, options, labels=cine.sax_labels)
    write(folder, result, ed=2)
    return folder, result


def written(folder):
    return {path.name for path in folder.iterdir()}


def test_a_still_result_has_one_file_of_each_kind(still):
    assert written(still[0]) == {
        "volume.nrrd",
        "labels.nrrd",
        "segmentation.seg.nrrd",
        "result.json",
        "measurements.csv",
        "report.html",
    }


def value_at(image, point):
    return image.GetPixel(image.TransformPhysicalPointToIndex([float(v) for v in point]))


def test_other_software_finds_every_acquired_pixel_at_its_place(still, heart):
    stack, labels = heart
    volume, drawn = (sitk.ReadImage(str(still[0] / name)) for name in ("volume.nrrd", "labels.nrrd"))
    assert abs(np.array(volume.GetDirection()).reshape(3, 3)).max() < 0.99  # the stack is oblique
    rng = np.random.default_rng(0)
    for _ in range(60):
        s, row, column = (int(rng.integers(size)) for size in stack.frames.shape[1:])
        point = stack.plane(s).points()[row, column]
        assert value_at(volume, point) == stack.frames[0, s, row, column]
        assert value_at(drawn, point) == labels[0, s, row, column]


def test_volume_and_labels_share_one_grid(still):
    names = ("volume.nrrd", "labels.nrrd", "segmentation.seg.nrrd")
    images = [sitk.ReadImage(str(still[0] / name)) for name in names]
    for image in images[1:]:
        assert image.GetSize() == images[0].GetSize()
        assert image.GetOrigin() == images[0].GetOrigin()
        assert image.GetSpacing() == images[0].GetSpacing()
        assert image.GetDirection() == images[0].GetDirection()
    np.testing.assert_array_equal(*(sitk.GetArrayFromImage(image) for image in images[1:]))


def test_a_cine_is_a_sequence_with_one_segmentation_a_frame(moving):
    folder, result = moving
    numbered = {f"segmentation_{frame:03d}.seg.nrrd" for frame in range(3)}
    assert numbered < written(folder)
    stack = read_stack(folder / "volume.nrrd")
    np.testing.assert_array_equal(stack.frames, result.volume)
    np.testing.assert_allclose(stack.times, result.stack.times)
    np.testing.assert_allclose(stack.origins[0], result.grid.origin)
    np.testing.assert_array_equal(read_labels(folder / "labels.nrrd", stack), result.labels)
    for frame in range(3):
        image = sitk.ReadImage(str(folder / f"segmentation_{frame:03d}.seg.nrrd"))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), result.labels[frame])


@pytest.mark.slow
def test_uncertainty_is_written_where_it_was_sampled(still, moving, tmp_path):
    for name, (_, result) in (("still", still), ("moving", moving)):
        folder = tmp_path / name
        folder.mkdir()
        spread = np.where(result.labels > 0, np.float32(2.5), result.volume)
        write(folder, replace(result, uncertainty=spread))
        written_spread = read_stack(folder / "uncertainty.nrrd")
        np.testing.assert_array_equal(written_spread.frames, spread)
        np.testing.assert_allclose(written_spread.origins, read_stack(folder / "volume.nrrd").origins)


def test_the_plain_segmentation_is_that_of_end_diastole(moving):
    folder, result = moving
    image = sitk.ReadImage(str(folder / "segmentation.seg.nrrd"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), result.labels[2])
    assert image.GetMetaData("Segment0_Name") == NAMES[LVC]


def test_the_record_is_plain_json(still):
    text = (still[0] / "result.json").read_text(encoding="utf-8")
    record = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert record["geometry"]["acquired"] == list(still[1].acquired)


def test_the_same_result_gives_the_same_bytes(still, tmp_path):
    write(tmp_path, still[1])
    for name in written(tmp_path):
        assert (tmp_path / name).read_bytes() == (still[0] / name).read_bytes()


def test_the_grid_of_a_regular_stack(heart):
    stack = heart[0]
    grid = stack_grid(stack)
    for s in range(len(stack.origins)):
        np.testing.assert_allclose(grid.plane(s).origin, stack.origins[s], atol=1e-6)


def test_an_irregular_stack_has_no_grid(heart):
    with pytest.raises(InputError, match="irregular"):
        stack_grid(heart[0].select(slices=[0, 1, 3]))
