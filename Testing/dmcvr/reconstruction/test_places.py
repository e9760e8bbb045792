"""From file to reconstruction and back: whatever the affine, acquired slices come back where they were.

Every voxel of an image holds a linear function of its place (LPS mm), so a voxel that ends elsewhere is found
out, and one that is interpolated rightly is not.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.geometry import Grid
from dmcvr.core.stack import Stack
from dmcvr.io.image_file import ROUNDED_LEAN
from dmcvr.io.nrrd import write_volume
from dmcvr.io.sanity import check_stack
from dmcvr.io.volumes import read_stack
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.output_grid import ON_GRID_MM, plan_layout
from dmcvr.reconstruction.pipeline import reconstruct
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

SLOPE = np.array([7.0, -5.0, 3.0])


def tone(points):
    """Far from 0, so that what was filled with 0 is seen as well."""
    return 20000 + points @ SLOPE


def write(path, axes, spacing, origin, size):
    """A file of (X, Y, Z) ``size`` whose voxels hold the tone of their place; ``axes`` are columns."""
    grid = Grid(np.array(origin), *(axes * spacing).T, size[::-1])
    points = grid.position(np.moveaxis(np.indices(grid.shape), 0, -1))
    image = sitk.GetImageFromArray(tone(points).astype(np.float64))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(axes.ravel())
    sitk.WriteImage(image, str(path))
    return points


def says_its_spacing(affine):
    """Voxels of 1 x 1 x 1 mm are taken for those of a file that does not."""
    return not np.allclose([*affine["pixel"], affine["gap"]], 1, rtol=0, atol=1e-3)


affines = st.fixed_dictionaries(
    {
        "turn": st.integers(0, 10**6),
        "flips": st.tuples(*[st.sampled_from((1, -1))] * 3),
        "pixel": st.tuples(st.floats(0.5, 2.5), st.floats(0.9, 1.1)),
        "gap": st.floats(0.6, 14),
        "origin": st.tuples(*[st.floats(-400, 400)] * 3),
        "size": st.tuples(st.integers(9, 14), st.integers(9, 14), st.integers(2, 6)),
    }
).filter(says_its_spacing)


def axes_of(affine, shear=(0.0, 0.0)):
    """(3, 3) unit columns, the third leaning by ``shear`` of the first two; and spacing (x, y, z)."""
    axes = Rotation.random(random_state=affine["turn"]).as_matrix() * affine["flips"]
    leaning = axes @ [*shear, 1]
    axes = np.column_stack([axes[:, 0], axes[:, 1], leaning / np.linalg.norm(leaning)])
    pixel, ratio = affine["pixel"]
    return axes, (pixel, pixel * ratio, affine["gap"] * float(np.linalg.norm(leaning)))


def reconstructed(stack, spacing):
    labels = np.ones((1, *stack.frames.shape[1:]), np.uint8)
    return reconstruct(stack, None, Options(method="linear", spacing=spacing), labels=labels)


@given(affine=affines, parts=st.integers(1, 4), suffix=st.sampled_from((".nrrd", ".mha", ".nii", ".nii.gz")))
@settings(max_examples=40, deadline=None)
def test_acquired_slices_come_back_where_they_were_whatever_the_affine(affine, parts, suffix):
    axes, spacing = axes_of(affine)
    with TemporaryDirectory() as folder:
        points = write(Path(folder) / f"v{suffix}", axes, spacing, affine["origin"], affine["size"])
        stack = read_stack(Path(folder) / f"v{suffix}")
        result = reconstructed(stack, affine["gap"] / parts)
        write_volume(Path(folder) / "out.nrrd", result.volume[0], result.grid)
        back = read_stack(Path(folder) / "out.nrrd")
    # NIfTI holds places in single precision, 3e-5 mm at 400 mm.
    rounding = 5e-3 if suffix.startswith(".nii") else 1e-6
    kept = [z for z, index in enumerate(result.acquired) if index is not None]
    assert [result.acquired[z] for z in kept] == list(range(affine["size"][2]))
    mirrored = np.prod(affine["flips"]) < 0
    for z, expected in zip(kept, points[::-1] if mirrored else points, strict=True):
        assert back.plane(z).points() == pytest.approx(expected, abs=ON_GRID_MM + rounding)
        assert back.frames[0, z] == pytest.approx(tone(expected), abs=0.01)
    # What lies between lies between: the image is linear in space.
    assert result.volume[0] == pytest.approx(
        np.stack([tone(result.grid.plane(z).points()) for z in range(len(result.acquired))]), abs=0.2
    )


def at_origin(**other):
    """An affine that is not moved; the rest of it is given."""
    return {"flips": (1, 1, 1), "pixel": (1.0, 1.0), "origin": (0.0, 0.0, 0.0), **other}


@given(affine=affines, shear=st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)))
@example(
    affine=at_origin(turn=0, flips=(1, 1, -1), pixel=(1.5, 1.0), gap=8.0, size=(14, 14, 3)),
    shear=(0.25, 0.1),
)
@example(affine=at_origin(turn=0, gap=2.0, size=(9, 9, 2)), shear=(0.25, 1e-6))
@example(affine=at_origin(turn=1, gap=5.0, size=(9, 9, 3)), shear=(0.0, 0.001953125))
@settings(max_examples=40, deadline=None)
def test_slices_of_a_sheared_volume_stay_at_their_places(affine, shear):
    axes, spacing = axes_of(affine, shear)
    with TemporaryDirectory() as folder:
        write(Path(folder) / "v.nrrd", axes, spacing, affine["origin"], affine["size"])
        stack = read_stack(Path(folder) / "v.nrrd")
    result = reconstructed(stack, affine["gap"])
    assert result.acquired == tuple(range(affine["size"][2]))
    # In the result they lie straight above each other, and show what is there as far as they reach.
    displaced = 0.0
    for z, image in enumerate(result.volume[0]):
        plane = result.grid.plane(z)
        displaced = max(displaced, np.linalg.norm(plane.origin - stack.origins[z]))
        away = plane.points() - stack.origins[z]
        column = away @ stack.step_x / (stack.step_x @ stack.step_x)
        row = away @ stack.step_y / (stack.step_y @ stack.step_y)
        shown = (row > -1e-4) & (row < image.shape[0] - 1 + 1e-4)
        shown &= (column > -1e-4) & (column < image.shape[1] - 1 + 1e-4)
        # A displacement below a thousandth of a pixel is left as it is; a slight lean is taken for rounding.
        lean = ROUNDED_LEAN if np.hypot(*shear) < 2 * ROUNDED_LEAN else 0
        away = 0.1 + np.linalg.norm(SLOPE) * lean * z * affine["gap"]
        assert image[shown] == pytest.approx(tone(plane.points()[shown]), abs=away)
    if displaced > 0.1:
        assert any("displaces the slices" in warning for warning in result.warnings)


@given(
    gaps=st.lists(st.floats(0.11, 39.9), min_size=1, max_size=8),
    turn=st.integers(0, 10**6),
    spacing=st.floats(0.8, 5),
)
@settings(max_examples=50, deadline=None)
def test_near_repeats_and_wide_gaps_leave_every_kept_slice_in_its_place(gaps, turn, spacing):
    x, y, _ = Rotation.random(random_state=turn).as_matrix()
    positions = np.cumsum([0, *gaps])
    frames = np.random.default_rng(0).uniform(1, 2, (1, len(positions), 3, 4)).astype(np.float32)
    stack = Stack(frames, positions[:, None] * np.cross(x, y), x * 1.5, y * 1.5)
    check_stack(stack)
    spacing = min(spacing, positions[-1])
    layout = plan_layout(stack, spacing)
    found = [index for index in layout.acquired if index is not None]
    assert found == sorted(set(found))
    assert {0, len(gaps)} <= set(found)
    assert (np.diff(layout.wanted) > 0).all()
    result = reconstructed(stack, spacing)
    for z, index in enumerate(result.acquired):
        if index is not None:
            away = np.linalg.norm(result.grid.plane(z).origin - stack.origins[index])
            assert away <= ON_GRID_MM + 1e-9
            np.testing.assert_array_equal(result.volume[:, z], frames[:, index])
    assert np.isfinite(result.volume).all()
    assert frames.min() - 1e-4 <= result.volume.min() <= result.volume.max() <= frames.max() + 1e-4
