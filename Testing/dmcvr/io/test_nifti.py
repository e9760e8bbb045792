"""NIfTI files whose headers are odd, old, new or at odds with themselves."""

import bz2
import gzip
import warnings

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.io.volumes import read_stack
from hypothesis import given, settings
from hypothesis import strategies as st
from niftifiles import SIZES, SPACING, affine, nifti, random_rotation

RNG = np.random.default_rng(3)
VOXELS = RNG.integers(0, 900, SIZES[::-1]).astype(np.int16)
TURNED = random_rotation(1)


def read(folder, data, name="v.nii"):
    """The stack in a file of these bytes, and what was said of it."""
    (folder / name).write_bytes(data)
    told = []
    return read_stack(folder / name, told.append), told


def corners(stack):
    return np.array(
        [stack.plane(index).points()[[0, 0, -1], [0, -1, 0]] for index in range(len(stack.origins))]
    )


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz", "v.nrrd", "v.mha"])
def test_every_version_order_and_packing_is_read_under_any_name(tmp_path, version, order, pack, name):
    data = nifti(VOXELS, version=version, order=order, sform=affine(TURNED))
    stack, told = read(tmp_path, pack(data), name)
    assert told == []
    np.testing.assert_array_equal(stack.frames[0], VOXELS)
    points = affine(TURNED) @ [0, 0, 5, 1] * [-1, -1, 1]
    np.testing.assert_allclose(stack.origins[5], points, atol=1e-4)


def test_qform_and_sform_that_agree_give_one_place(tmp_path):
    turn = random_rotation(7)
    both = nifti(VOXELS, codes=(1, 1), sform=affine(turn), rotation=turn)
    only = [nifti(VOXELS, codes=codes, sform=affine(turn), rotation=turn) for codes in ((1, 0), (0, 2))]
    stacks = [read(tmp_path, data) for data in (both, *only)]
    assert all(told == [] for _, told in stacks)
    for stack, _ in stacks[1:]:
        np.testing.assert_allclose(corners(stack), corners(stacks[0][0]), atol=1e-3)


@pytest.mark.parametrize(
    ("codes", "taken"), [((1, 1), "sform"), ((1, 2), "qform"), ((2, 1), "sform"), ((4, 2), "sform")]
)
def test_of_two_places_the_one_by_the_standard_is_taken_and_told(tmp_path, codes, taken):
    away = affine(TURNED, origin=(-12.0, 8.0, 50.0))
    stack, told = read(tmp_path, nifti(VOXELS, codes=codes, sform=away, rotation=TURNED))
    assert len(told) == 1
    assert f"20.0 mm apart. The {taken} was taken" in told[0]
    assert stack.origins[0][2] == pytest.approx(50 if taken == "sform" else 30, abs=1e-4)


def test_shear_in_the_sform_displaces_the_slices(tmp_path):
    sheared = affine()
    sheared[0, 2] = 3.0  # 3 mm to the side a slice
    stack, told = read(tmp_path, nifti(VOXELS, codes=(1, 1), sform=sheared, spacing=(1.5, 1.4, 9.487)))
    assert "sform and qform place voxels up to" in told[0]
    np.testing.assert_allclose(np.diff(stack.origins, axis=0), np.tile([-3, 0, 9], (5, 1)), atol=1e-4)
    np.testing.assert_allclose(stack.gaps, 9, atol=1e-4)


def test_slices_that_lean_by_more_than_45_degrees_are_refused(tmp_path):
    steep = affine()
    steep[0, 2] = 12.0
    with pytest.raises(InputError, match="lean by more than 45 degrees"):
        read(tmp_path, nifti(VOXELS, sform=steep, spacing=(1.5, 1.4, 15.0)))


@pytest.mark.parametrize(
    ("gap", "outcome"), [(9.0, None), (9.2, "told"), (11.0, "refused"), (7.0, "refused")]
)
def test_a_pixdim_at_odds_with_the_sform_is_told_or_refused(tmp_path, gap, outcome):
    data = nifti(VOXELS, sform=affine(), spacing=(1.5, 1.4, gap))
    if outcome == "refused":
        with pytest.raises(
            InputError, match=r"contradicts itself: voxels of 1\.5 x 1\.4 x 9 mm by its sform"
        ):
            read(tmp_path, data)
        return
    stack, told = read(tmp_path, data)
    assert len(told) == (outcome is not None)
    np.testing.assert_allclose(stack.gaps, 9, atol=1e-4)


@pytest.mark.parametrize("gap", [0.0, -9.0, np.nan, np.inf])
@pytest.mark.parametrize("codes", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_a_pixdim_that_is_no_length_is_refused(tmp_path, gap, codes):
    with pytest.raises(InputError, match="voxel spacing"):
        read(tmp_path, nifti(VOXELS, codes=codes, sform=affine(), spacing=(1.5, 1.4, gap)))


def test_a_file_that_does_not_say_where_it_lies_is_told(tmp_path):
    stack, told = read(tmp_path, nifti(VOXELS, codes=(0, 0)))
    assert "does not say where its slices lie" in told[0]
    assert stack.spacing == pytest.approx(SPACING[:2])


def test_an_sform_that_is_none_is_passed_over(tmp_path):
    stack, told = read(tmp_path, nifti(VOXELS, codes=(1, 1), sform=np.zeros((3, 4)), rotation=TURNED))
    assert "sform of the NIfTI header is no transform" in told[0]
    np.testing.assert_allclose(stack.origins[0], np.array([-12, 8, 30]) * [-1, -1, 1], atol=1e-4)


def test_a_qform_that_is_no_rotation_is_refused(tmp_path):
    data = bytearray(nifti(VOXELS, codes=(1, 0)))
    data[256:260] = np.float32(3.0).tobytes()
    with pytest.raises(InputError, match="no rotation"):
        read(tmp_path, bytes(data))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("longer", [1e-6, 1e-4, 4e-3])
def test_a_quaternion_somewhat_too_long_is_rounding(tmp_path, version, longer):
    """Half a turn, about an axis whose parts were rounded up."""
    axis = np.array([2.0, 3.0, 6.0]) / 7
    data = bytearray(nifti(VOXELS, version=version, codes=(1, 0)))
    numbers = (axis * (1 + longer)).astype("<f4" if version == 1 else "<f8").tobytes()
    start = 256 if version == 1 else 352
    data[start : start + len(numbers)] = numbers
    stack, told = read(tmp_path, bytes(data))
    assert told == []
    turn = 2 * np.outer(axis, axis) - np.eye(3)
    np.testing.assert_allclose(stack.step_x, turn[:, 0] * SPACING[0] * [-1, -1, 1], atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(3, 6))
def test_rounded_cosines_are_made_perpendicular_within_a_bound(tmp_path_factory, seed, digits):
    turn = random_rotation(seed)
    exact, rounded = affine(turn), affine(turn.round(digits))
    lengths = tuple(np.linalg.norm(rounded[:, :3], axis=0))
    folder = tmp_path_factory.mktemp("rounded")
    stack, told = read(folder, nifti(VOXELS, sform=rounded, spacing=lengths))
    true, _ = read(folder, nifti(VOXELS, sform=exact))
    assert told == []
    assert abs(stack.step_x @ stack.step_y) < 1e-5
    steps = np.diff(stack.origins, axis=0)
    assert np.linalg.norm(steps - (steps @ stack.normal)[:, None] * stack.normal, axis=1).max() < 1e-4
    # Half a unit of the last digit in each of three cosines, over the length of the image, twice for turning.
    bound = 2 * np.sqrt(3) * 0.5 * 10.0**-digits * np.dot(SIZES, SPACING) + 1e-3
    assert np.linalg.norm(corners(stack) - corners(true), axis=-1).max() < bound


def test_cosines_rounded_to_one_decimal_are_refused(tmp_path):
    turn = random_rotation(2).round(1)
    lengths = tuple(np.linalg.norm(turn * SPACING, axis=0))
    with pytest.raises(InputError, match="not perpendicular"):
        read(tmp_path, nifti(VOXELS, sform=affine(turn), spacing=lengths))


def test_time_in_a_dimension_beyond_the_fourth_is_read_and_told(tmp_path):
    cine = np.stack([VOXELS, VOXELS[::-1], VOXELS + 1])
    for between in ([None], [None, None]):
        shaped = cine.reshape(3, *[1] * len(between), *VOXELS.shape)
        times = (*[1.0] * len(between), 40.0)
        stack, told = read(tmp_path, nifti(shaped, times=times, units=2 | 16))
        np.testing.assert_array_equal(stack.frames, cine)
        np.testing.assert_allclose(stack.times, [0, 40, 80])
        assert f"dimension {4 + len(between)} of the NIfTI file" in told[0]


def test_vectors_and_several_axes_of_frames_are_refused(tmp_path):
    cine = np.stack([VOXELS, VOXELS + 1])
    with pytest.raises(InputError, match="vectors"):
        read(tmp_path, nifti(cine[:, None], times=(1.0, 1.0), intent=1007))
    with pytest.raises(InputError, match="four with time"):
        read(tmp_path, nifti(np.stack([cine, cine]), times=(40.0, 1.0)))
    with pytest.raises(InputError, match="only one slice"):
        read(tmp_path, nifti(cine[:, :1]))


def test_units_of_length_and_scales_of_intensity_are_applied(tmp_path):
    metres = affine() / 1000
    stack, _ = read(
        tmp_path, nifti(VOXELS, sform=metres, spacing=np.divide(SPACING, 1000), units=1, slope=(0.5, -3.0))
    )
    np.testing.assert_allclose(stack.spacing, SPACING[:2], rtol=1e-5)
    np.testing.assert_allclose(stack.frames[0], VOXELS * 0.5 - 3)
    with pytest.raises(InputError, match="scale of the intensities"):
        read(tmp_path, nifti(VOXELS, slope=(np.inf, 0.0)))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (nifti(VOXELS, mark=b"ni1\0"), "NIfTI pair"),
        (b"PK\x03\x04" + bytes(400), "zip archive"),
        (b"\x89HDF\r\n" + bytes(400), "HDF5"),
        (bytes(128) + b"DICM" + bytes(400), "DICOM file under another name"),
        (gzip.compress(b"NRRD0004\n" + bytes(400), mtime=0), "packed with gzip as a whole"),
        (gzip.compress(bytes(400), mtime=0), "damaged"),
    ],
)
def test_what_is_not_read_is_refused_by_its_name(tmp_path, data, sentence):
    with warnings.catch_warnings(), pytest.raises(InputError, match=sentence):
        read(tmp_path, data)
