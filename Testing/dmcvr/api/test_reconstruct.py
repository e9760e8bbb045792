"""What `dmcvr.reconstruct` and `dmcvr.segment` take."""

import dataclasses
import inspect
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
from dmcvr.reconstruction.options import ModelChoice, Options

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


def image_of(stack, array):
    """A SimpleITK image of what ``array`` (T, S, H, W) shows of a ``stack``."""
    grid = stack_grid(stack)
    image = sitk.GetImageFromArray(array[0])
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin.tolist())
    image.SetDirection((grid.affine[:3, :3] / grid.spacing).ravel().tolist())
    return image


def test_a_path_an_image_and_an_array_give_what_the_stack_gives(drawn, heart, files, tmp_path, quick):
    stack, labels = heart
    affine = stack_grid(stack).affine
    image, outlines = image_of(stack, stack.frames), image_of(stack, labels)
    sitk.WriteImage(image, str(tmp_path / "sax.nii.gz"))
    held = nibabel.load(tmp_path / "sax.nii.gz")
    turned = affine @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, len(labels[0]) - 1], [0, 0, 0, 1]])
    results = [
        dmcvr.reconstruct(str(files["sax"]), labels=str(files["labels"]), **quick),
        dmcvr.reconstruct(Path(files["sax"]), labels=outlines, **quick),
        dmcvr.reconstruct(image, labels=outlines, **quick),
        dmcvr.reconstruct(stack.frames, affine=affine, labels=labels, **quick),
        dmcvr.reconstruct(stack.frames[0, ::-1], affine=turned, labels=labels[0, ::-1], **quick),
        dmcvr.reconstruct(
            held.get_fdata().T, affine=np.diag([-1, -1, 1, 1]) @ held.affine, labels=outlines, **quick
        ),
    ]
    for result in results:
        np.testing.assert_allclose(result.volume, drawn.volume, atol=0.5)
        assert (result.labels == drawn.labels).mean() > 0.9995
        np.testing.assert_allclose(result.grid.affine, drawn.grid.affine, atol=1e-3)
    assert results[0].record.input.sha256 == results[1].record.input.sha256
    assert results[2].record.input.sha256 == results[3].record.input.sha256 == drawn.record.input.sha256
    assert len(drawn.record.input.labels_sha256) == 64


def test_long_axis_images_come_as_images_too(heart, phantom, quick):
    stack, labels = heart
    view = phantom.lax["4ch"]
    result = dmcvr.reconstruct(stack, labels=labels, lax=[view, image_of_one(view)], **quick)
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


def test_labels_of_other_slices_are_refused(heart, files, quick):
    stack, labels = heart
    with pytest.raises(dmcvr.InputError, match="slices and pixels"):
        dmcvr.reconstruct(stack, labels=labels[:, 1:], **quick)
    with pytest.raises(dmcvr.InputError, match="do not say where"):
        dmcvr.reconstruct(files["sax"], labels=labels, **quick)
