"""What `dmcvr.reconstruct` and `dmcvr.segment` take and give."""

import dataclasses
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import dmcvr
import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.core.stack import stack_grid
from dmcvr.io.label_files import read_labels
from dmcvr.io.volumes import read_stack
from dmcvr.reconstruction.options import ModelChoice, Options

QUICK = {"method": "linear", "spacing": 5.0}
HEAVY = ("torch", "numpy", "scipy", "SimpleITK", "skimage", "pydicom", "nibabel", "nrrd", "vtk", "highdicom")


def python(program: str, *arguments: object) -> str:
    """What a new Python prints that runs ``program``."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(dmcvr.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, env=environment)
    return done.stdout


def test_importing_it_and_asking_for_help_loads_nothing_heavy():
    program = (
        "import sys, dmcvr\n"
        "help(dmcvr.reconstruct)\n"
        "print('loaded:', *(name for name in sys.argv[1:] if name in sys.modules))"
    )
    printed = python(program, *HEAVY)
    assert printed.endswith("loaded:\n")
    for text in ("frame: 'str | int' = 'ed'", "method: 'str' = 'dmcvr'", "DICOM folder", "InputError"):
        assert text in printed


def test_every_option_is_a_keyword_with_its_default_and_is_explained():
    parameters = inspect.signature(dmcvr.reconstruct).parameters
    for field in (*dataclasses.fields(Options), *dataclasses.fields(ModelChoice)):
        if field.name != "folder":
            assert parameters[field.name].default == field.default, field.name
    for function in (dmcvr.reconstruct, dmcvr.segment):
        first, *others = inspect.signature(function).parameters.values()
        assert all(item.kind is item.KEYWORD_ONLY for item in others)
        for item in (first, *others):
            assert f"`{item.name}`" in dmcvr.reconstruct.__doc__, item.name


@pytest.fixture(scope="module")
def drawn(heart):
    """The reconstruction of a stack with drawn labels, which needs no model."""
    stack, labels = heart
    return dmcvr.reconstruct(stack, labels=labels, **QUICK)


def image_of(stack, array):
    """A SimpleITK image of what ``array`` (T, S, H, W) shows of a ``stack``."""
    grid = stack_grid(stack)
    image = sitk.GetImageFromArray(array[0])
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin.tolist())
    image.SetDirection((grid.affine[:3, :3] / grid.spacing).ravel().tolist())
    return image


def test_a_path_an_image_and_an_array_give_what_the_stack_gives(drawn, heart, files, tmp_path):
    stack, labels = heart
    affine = stack_grid(stack).affine
    image, outlines = image_of(stack, stack.frames), image_of(stack, labels)
    sitk.WriteImage(image, str(tmp_path / "sax.nii.gz"))
    held = nibabel.load(tmp_path / "sax.nii.gz")
    turned = affine @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, len(labels[0]) - 1], [0, 0, 0, 1]])
    results = [
        dmcvr.reconstruct(str(files["sax"]), labels=str(files["labels"]), **QUICK),
        dmcvr.reconstruct(Path(files["sax"]), labels=outlines, **QUICK),
        dmcvr.reconstruct(image, labels=outlines, **QUICK),
        dmcvr.reconstruct(stack.frames, affine=affine, labels=labels, **QUICK),
        dmcvr.reconstruct(stack.frames[0, ::-1], affine=turned, labels=labels[0, ::-1], **QUICK),
        dmcvr.reconstruct(
            held.get_fdata().T, affine=np.diag([-1, -1, 1, 1]) @ held.affine, labels=outlines, **QUICK
        ),
    ]
    for result in results:
        np.testing.assert_allclose(result.volume, drawn.volume, atol=0.5)
        assert (result.labels == drawn.labels).mean() > 0.9995
        np.testing.assert_allclose(result.grid.affine, drawn.grid.affine, atol=1e-3)
    assert results[0].record.input.sha256 == results[1].record.input.sha256
    assert results[2].record.input.sha256 == results[3].record.input.sha256 == drawn.record.input.sha256
    assert len(drawn.record.input.labels_sha256) == 64


def test_what_comes_back_is_short_in_print_and_goes_to_other_programs(drawn):
    assert repr(drawn) == str(drawn)
    assert repr(drawn).startswith("<dmcvr.Result by linear: 1 frame of 130 x 120 x ")
    assert len(repr(drawn)) < 150
    volume, labels = drawn.to_sitk()
    np.testing.assert_array_equal(sitk.GetArrayFromImage(volume), drawn.volume[0])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(labels), drawn.labels[0])
    at = (40, 30, 3)
    np.testing.assert_allclose(
        labels.TransformIndexToPhysicalPoint(at), (drawn.grid.affine @ [*at, 1])[:3], atol=1e-6
    )


def test_it_is_saved_as_the_command_line_saves_it(call, files, tmp_path):
    result = dmcvr.reconstruct(files["sax"], labels=files["labels"], **QUICK)
    result.save(tmp_path / "api")
    arguments = ("--labels", files["labels"], "--method", "linear", "--spacing", 5, "--quiet")
    answer = call("reconstruct", files["sax"], "-o", tmp_path / "cli", *arguments)
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    names = {path.name for path in (tmp_path / "api").iterdir()}
    assert names == {path.name for path in (tmp_path / "cli").iterdir()}
    for name in ("volume.nrrd", "labels.nrrd", "measurements.csv"):
        assert (tmp_path / "api" / name).read_bytes() == (tmp_path / "cli" / name).read_bytes()
    records = [json.loads((tmp_path / place / "result.json").read_text()) for place in ("api", "cli")]
    assert records[0]["volumes"] == records[1]["volumes"]


def test_a_cine_has_four_dimensions_with_time_in_ms(cine):
    stack = cine.sax.select(slices=slice(4, 9))
    result = dmcvr.reconstruct(stack, labels=cine.sax_labels[:, 4:9], frame="all", **QUICK)
    volume, labels = result.to_sitk()
    assert volume.GetSize() == labels.GetSize() == (*result.grid.shape[::-1], 3)
    np.testing.assert_allclose(volume.GetSpacing(), [*result.grid.spacing, np.diff(stack.times).mean()])
    assert volume.GetOrigin()[3] == pytest.approx(stack.times[0])
    again = dmcvr.reconstruct(volume, labels=labels, frame="all", **QUICK)
    np.testing.assert_allclose(again.heart.stack.times, stack.times, atol=0.01)
    np.testing.assert_allclose(again.volume, result.volume, atol=1e-3)


def test_long_axis_images_come_as_images_too(heart, phantom):
    stack, labels = heart
    view = phantom.lax["4ch"]
    result = dmcvr.reconstruct(stack, labels=labels, lax=[view, image_of_one(view)], **QUICK)
    assert len(result.lax) == 2
    np.testing.assert_allclose(result.lax[0].origins, result.lax[1].origins, atol=1e-6)


def image_of_one(view):
    """A long-axis ``view`` as an image of one slice, 6 mm thick."""
    image = sitk.GetImageFromArray(view.frames[0])
    directions = [view.step_x / view.spacing[0], view.step_y / view.spacing[1], view.normal]
    image.SetDirection(np.column_stack(directions).ravel().tolist())
    image.SetSpacing([*view.spacing, 6.0])
    image.SetOrigin(view.origins[0].tolist())
    return image


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"source": np.zeros((6, 40, 40))}, "give its affine"),
        ({"source": np.zeros((40, 40)), "affine": np.eye(4)}, "three dimensions"),
        ({"source": np.zeros((6, 40, 40)), "affine": np.eye(3)}, "4 x 4"),
        ({"source": np.zeros((6, 40, 40), complex), "affine": np.eye(4)}, "complex"),
        ({"source": "missing.nrrd"}, "does not exist"),
        ({"source": "missing.nrrd", "affine": np.eye(4)}, "array only"),
        ({"source": [1, 2, 3]}, "of type list"),
        ({"source": "missing.nrrd", "frame": "late"}, "There is no frame"),
        ({"source": "missing.nrrd", "device": "tpu"}, "There is no device"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(arguments, said):
    assert dmcvr.InputError is InputError
    with pytest.raises(dmcvr.InputError, match=said):
        dmcvr.reconstruct(**arguments)


def test_labels_of_other_slices_are_refused(heart, files):
    stack, labels = heart
    with pytest.raises(dmcvr.InputError, match="slices and pixels"):
        dmcvr.reconstruct(stack, labels=labels[:, 1:], **QUICK)
    with pytest.raises(dmcvr.InputError, match="do not say where"):
        dmcvr.reconstruct(files["sax"], labels=labels, **QUICK)


@pytest.mark.slow
def test_segment_takes_a_model_that_is_loaded_and_labels_every_frame(heart, model, files, tmp_path):
    found = dmcvr.segment(heart[0], model=model)
    assert repr(found) == "<dmcvr.Segmentation: 4 slices of 130 x 120 pixels in 1 frame>"
    assert (found.labels == heart[1]).mean() > 0.99
    assert found.to_sitk().GetSize() == (130, 120, 4)
    for name in ("labels.nrrd", "labels.nii.gz"):
        found.save(tmp_path / name)
        np.testing.assert_array_equal(read_labels(tmp_path / name, read_stack(files["sax"])), found.labels)
