import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid
from dmcvr.io import nrrd, volumes

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "bivme"
OBLIQUE = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
OBLIQUE = OBLIQUE * np.linalg.det(OBLIQUE)  # columns: right-handed axes
SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"]


def tone(points, frame=0):
    """An intensity that tells every place (mm) and frame apart."""
    return np.round(2000 + points @ np.array([7.0, -5.0, 3.0]) + 11 * frame)


def image(axes=OBLIQUE, size=(20, 16, 5), spacing=(1.5, 1.4, 9.0), origin=(-30.0, 12.5, 40.0)):
    """A float image whose voxels hold the tone of their place."""
    steps = (axes * spacing).T
    grid = Grid(np.array(origin), *steps, size[::-1])
    indices = np.moveaxis(np.indices(grid.shape), 0, -1)
    out = sitk.GetImageFromArray(tone(grid.position(indices)).astype(np.float32))
    out.SetSpacing(spacing)
    out.SetOrigin(origin)
    out.SetDirection(axes.ravel())
    return out


def save(picture, path):
    sitk.WriteImage(picture, str(path))
    return path


def expected(stack, frame=0):
    return np.stack([tone(stack.plane(s).points(), frame) for s in range(len(stack.origins))])


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("flip", [(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, -1, 1), (-1, -1, -1)])
def test_every_pixel_is_at_its_true_place_whatever_the_format_and_handedness(tmp_path, suffix, flip):
    stack = volumes.read_stack(save(image(OBLIQUE * flip), tmp_path / f"v{suffix}"))
    assert stack.frames.shape == (1, 5, 16, 20)
    assert stack.frames.dtype == np.float32
    np.testing.assert_allclose(stack.gaps, 9, atol=1e-4)
    np.testing.assert_allclose(
        stack.frames[0], expected(stack), atol=1.01
    )  # float32 positions may round a tone
    assert stack.times is None


def test_four_dimensions_are_frames_last_with_times_in_ms(tmp_path):
    frames = [image() + 11.0 * t for t in range(4)]
    cine = sitk.JoinSeries(frames, 0.0, 0.035)
    stack = volumes.read_stack(save(cine, tmp_path / "v.nii.gz"))
    assert stack.frames.shape == (4, 5, 16, 20)
    np.testing.assert_allclose(stack.times, [0, 35, 70, 105], atol=1e-3)
    for frame in range(4):
        np.testing.assert_allclose(stack.frames[frame], expected(stack, frame), atol=1.01)


@pytest.mark.parametrize(("spacing", "first"), [(40.0, 40.0), (0.04, 40.0), (1.0, None), (2000.0, None)])
def test_frame_spacing_in_s_or_ms_and_unknown(tmp_path, spacing, first):
    cine = sitk.JoinSeries([image()] * 3, 0.0, spacing)
    times = volumes.read_stack(save(cine, tmp_path / "v.nrrd")).times
    assert (None if times is None else times[1]) == (None if first is None else pytest.approx(first))


def test_slicer_sequence_written_and_read_back(tmp_path):
    grid = Grid(np.array([1.0, 2, 3]), *(OBLIQUE * [1.5, 1.4, 8]).T, (5, 16, 20))
    array = np.random.default_rng(0).integers(0, 900, (3, *grid.shape)).astype(np.int16)
    nrrd.write_volume(tmp_path / "v.seq.nrrd", array, grid, np.array([5, 38, 71.5]))
    stack = volumes.read_stack(tmp_path / "v.seq.nrrd")
    assert np.array_equal(stack.frames, array)
    assert stack.times.tolist() == [5, 38, 71.5]
    np.testing.assert_allclose(stack.origins[4], grid.position([4, 0, 0]), atol=1e-9)


def test_sequence_with_the_list_axis_last_and_times_in_seconds(tmp_path):
    array = np.random.default_rng(0).integers(0, 900, (3, 4, 12, 10)).astype("<i2")
    lines = """NRRD0004
type: short
dimension: 4
space: left-posterior-superior
sizes: 10 12 4 3
space directions: (1.5,0,0) (0,1.5,0) (0,0,8) none
kinds: domain domain domain list
units: "" "" "" "s"
endian: little
encoding: raw
space origin: (1,2,3)
axis 3 index type:=numeric
axis 3 index values:=0 0.03 0.06

"""
    (tmp_path / "v.seq.nrrd").write_bytes(lines.encode() + array.tobytes())
    stack = volumes.read_stack(tmp_path / "v.seq.nrrd")
    assert np.array_equal(stack.frames, array)
    np.testing.assert_allclose(stack.times, [0, 30, 60])


def test_messages_do_not_name_the_file(tmp_path):
    (tmp_path / "Jane Doe.nii").write_bytes(b"x")
    for name in ("Jane Doe.nii", "Jane Doe.mha"):
        with pytest.raises(InputError) as caught:
            volumes.read_stack(tmp_path / name)
        assert "Jane" not in str(caught.value)


def test_long_axis_cine_of_one_slice(tmp_path):
    cine = sitk.JoinSeries([image(size=(20, 16, 1))] * 3, 0.0, 0.03)
    lax = volumes.read_lax(save(cine, tmp_path / "lax.nii"))
    assert lax.frames.shape == (3, 1, 16, 20)
    np.testing.assert_allclose(lax.frames[0], expected(lax), atol=1.01)


def test_isotropic_volume_is_a_stack(tmp_path):
    picture = image(spacing=(1.5, 1.5, 1.5), size=(20, 16, 40))
    assert len(volumes.read_stack(save(picture, tmp_path / "v.nrrd")).origins) == 40


def altered(place, value):
    picture = image()
    array = sitk.GetArrayFromImage(picture)
    array[place] = value
    out = sitk.GetImageFromArray(array)
    out.CopyInformation(picture)
    return out


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (image(size=(20, 16, 1)), "only one slice"),
        (altered((0, 1, 2), np.nan), "not numbers"),
        (altered((0, 1, 2), np.inf), "not numbers"),
        (altered(slice(None), 7), "same value"),
        (image(spacing=(0.01, 0.01, 9.0)), "pixel spacing"),
        (image(spacing=(1.5, 1.4, 90.0)), "mm apart"),
        (image(spacing=(9.0, 1.4, 1.4)), "third axis"),
        (sitk.Compose(image(), image(), image()), "colour"),
        (sitk.Image(16, 16, sitk.sitkUInt8) + 3, "three dimensions"),
        (sitk.RealAndImaginaryToComplex(image(), image()), "complex"),
    ],
)
def test_what_is_no_stack_is_refused_in_words(tmp_path, picture, message):
    with pytest.raises(InputError, match=message):
        volumes.read_stack(save(picture, tmp_path / "v.nrrd"))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_damaged_files_are_refused_and_nothing_else_is_printed(tmp_path, capfd, suffix, damage):
    path = save(image(), tmp_path / f"v{suffix}")
    data = {".nhdr": tmp_path / "v.raw", ".mhd": tmp_path / "v.raw"}.get(suffix, path)
    if damage == "truncated":
        data = data if data.exists() else next(p for p in tmp_path.iterdir() if p != path)
        data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    else:
        path.write_bytes(b"no image at all\n" * 100 if damage == "text" else b"")
    with pytest.raises(InputError, match="cannot be read"):
        volumes.read_stack(path)
    assert capfd.readouterr() == ("", "")


def test_zero_spacing_is_refused(tmp_path):
    path = save(image(), tmp_path / "v.nii")
    data = bytearray(path.read_bytes())
    data[80:84] = struct.pack("<f", 0)
    path.write_bytes(data)
    with pytest.raises(InputError, match="spacing"):
        volumes.read_stack(path)
    path = save(image(), tmp_path / "v.mha")
    path.write_bytes(path.read_bytes().replace(b"ElementSpacing = 1.5", b"ElementSpacing = 0.0"))
    with pytest.raises(InputError, match="spacing"):
        volumes.read_stack(path)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_missing_spacing_is_refused(tmp_path, suffix):
    path = save(image(np.eye(3)), tmp_path / f"v{suffix}")
    lines = path.read_bytes().split(b"\n")
    kept = [line for line in lines if not line.startswith((b"space directions", b"ElementSpacing"))]
    assert len(kept) == len(lines) - 1
    path.write_bytes(b"\n".join(kept))
    with pytest.raises(InputError, match="does not say its spacing"):
        volumes.read_stack(path)


def test_rows_that_lean_against_columns_are_refused(tmp_path):
    axes = np.column_stack([[1, 0, 0], [0.6, 0.8, 0], [0, 0, 1]])
    with pytest.raises(InputError, match="not perpendicular"):
        volumes.read_stack(save(image(axes), tmp_path / "v.nrrd"))


def test_frames_and_slices_that_change_places_are_refused(tmp_path):
    cine = sitk.GetImageFromArray(np.random.default_rng(0).uniform(1, 9, (75, 16, 20)).astype(np.float32))
    cine.SetSpacing((1.5, 1.4, 9.0))
    with pytest.raises(InputError, match="frames of a cine, give a file with four dimensions"):
        volumes.read_stack(save(cine, tmp_path / "3d.nrrd"))
    slices = sitk.JoinSeries([image(size=(20, 16, 1))] * 9, 0.0, 9.0)
    with pytest.raises(InputError, match="only one slice"):
        volumes.read_stack(save(slices, tmp_path / "4d.nrrd"))


def test_corrupt_compressed_voxels_are_refused(tmp_path):
    path = save(image(), tmp_path / "v.nii.gz")
    whole = bytearray(gzip.decompress(path.read_bytes()))
    packed = bytearray(gzip.compress(bytes(whole)))
    packed[-6] ^= 0xFF  # in the checksum
    path.write_bytes(packed)
    with pytest.raises(InputError, match="cannot be read"):
        volumes.read_stack(path)


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        volumes.read_stack(tmp_path / "nothing.nii")
    (tmp_path / "v.png").write_bytes(b"x")
    with pytest.raises(InputError, match="DICOM"):
        volumes.read_stack(tmp_path / "v.png")
    with pytest.raises(InputError, match="no DICOM images"):
        volumes.read_stack(tmp_path)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real example study is not on this machine")
def test_real_cine_is_the_same_from_nifti_and_dicom():
    files, folder = volumes.read_stack(DATA / "sax_cine.nii.gz"), volumes.read_stack(DATA / "dicom")
    assert files.frames.shape == folder.frames.shape == (25, 6, 208, 256)
    np.testing.assert_allclose(folder.gaps, 17.7, atol=1e-2)
    np.testing.assert_allclose(files.origins, folder.origins, atol=1e-2)
    for a, b in ((files.step_x, folder.step_x), (files.step_y, folder.step_y)):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert np.array_equal(files.frames, folder.frames)
