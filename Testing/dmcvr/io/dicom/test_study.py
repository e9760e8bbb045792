from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicomtones import (
    AXIAL,
    FRAMES,
    SAX_NORMAL,
    SHAPE,
    SPACING,
    assert_true_places,
    axes,
    dataset,
    places,
    tone,
    write,
    write_cine,
    write_stack,
)
from dmcvr.core.geometry import unit
from dmcvr.io import volumes
from dmcvr.io.dicom import kinds
from dmcvr.io.dicom.headers import NO_PLACE, NOT_DICOM
from dmcvr.io.dicom.left_out import STILL
from dmcvr.io.dicom.study import read_study
from Fuzzing import samples
from Fuzzing.samples import jpeg2000
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless

DATA = Path(__file__).resolve().parents[5] / "shared" / "data" / "bivme"


@pytest.mark.parametrize("one_series", [True, False])
def test_stack_from_one_series_or_one_per_slice(tmp_path, one_series):
    write_stack(tmp_path / "DICOM", places(), one_series)
    stack = volumes.read_stack(tmp_path)
    assert stack.frames.shape == (FRAMES, 5, *SHAPE)
    np.testing.assert_allclose(stack.origins, places(), atol=1e-6)
    np.testing.assert_allclose(stack.gaps, 9, atol=1e-6)
    np.testing.assert_allclose(stack.times, 20 + 40 * np.arange(FRAMES))
    assert stack.spacing == pytest.approx(SPACING)
    assert_true_places(stack)


def test_order_of_files_and_their_names_do_not_matter(tmp_path):
    images = [dataset(origin, frame=f) for origin in places() for f in range(FRAMES)]
    for name, index in enumerate(np.random.default_rng(0).permutation(len(images))):
        write(images[index], tmp_path / f"{name % 3}", f"IM{name:04d}")
    stack = volumes.read_stack(tmp_path)
    np.testing.assert_allclose(stack.origins, places(), atol=1e-6)
    assert_true_places(stack)


def test_irregular_and_displaced_slices_keep_their_places(tmp_path):
    origins = np.array(places()) + np.array([0, 2, 0, -3, 5.0])[:, None] * SAX_NORMAL
    origins += np.array([0, 3, -4, 0, 1.5])[:, None] * axes(SAX_NORMAL)[0]
    write_stack(tmp_path, origins[::-1], one_series=False)
    stack = read_study(tmp_path).sax
    np.testing.assert_allclose(stack.origins, origins, atol=1e-6)
    np.testing.assert_allclose(stack.gaps, [11, 7, 6, 17], atol=1e-6)
    assert_true_places(stack)


def test_overlapping_slices_lie_where_their_centres_do(tmp_path):
    write_stack(tmp_path, places(gap=4.0), SliceThickness=8, SpacingBetweenSlices=-4)
    stack = volumes.read_stack(tmp_path)
    np.testing.assert_allclose(stack.gaps, 4, atol=1e-6)
    assert_true_places(stack)


def test_wide_gap_is_pointed_out(tmp_path):
    write_stack(tmp_path, [*places(3), places(5)[4]])
    (warning,) = read_study(tmp_path).warnings
    assert "18.0 mm apart" in warning
    with pytest.warns(UserWarning, match="may be missing"):
        volumes.read_stack(tmp_path)


def test_frames_are_sorted_by_instance_number_without_trigger_times(tmp_path):
    for origin in places():
        for frame in range(FRAMES):
            write(
                dataset(origin, frame=frame, TriggerTime=None), tmp_path, f"{FRAMES - frame} {origin[0]}.dcm"
            )
    stack = volumes.read_stack(tmp_path)
    assert stack.times is None
    assert_true_places(stack)


def test_long_axis_views_scouts_and_strays_are_told_apart(tmp_path):
    long_axis = np.cross(SAX_NORMAL, axes(SAX_NORMAL)[0])
    other = axes(SAX_NORMAL)[0]
    write_stack(tmp_path / "sax", places())
    write_cine(
        tmp_path / "lax", [0, 0, 0], normal=long_axis, series="21", SeriesDescription="cine 4CH Jane Doe"
    )
    write_cine(tmp_path / "lax", [5, 0, 0], normal=other, series="22", SeriesDescription="cine_4ch")
    write_cine(tmp_path / "lax", [5, 9, 0], normal=unit(other + long_axis), series="23")
    for i, normal in enumerate(np.eye(3)):
        for origin in places(5, 20, normal):
            write(dataset(origin, normal, series=f"{i + 31}", SeriesDescription="localizer"), tmp_path)
    write(dataset([1, 2, 3], AXIAL, series="41"), tmp_path)  # a still image is no long-axis cine
    write_cine(tmp_path, [1, 2, 3], normal=other, series="42", ImageType=["ORIGINAL", "PRIMARY", "P"])
    write(dataset([0, 0, 0], ImagePositionPatient=None), tmp_path)
    (tmp_path / "DICOMDIR").write_bytes(b"no image")
    (tmp_path / "report.txt").write_text("no DICOM")
    study = read_study(tmp_path)
    assert study.sax.frames.shape == (FRAMES, 5, *SHAPE)
    assert study.lax_names == ("4CH", "4CH 2", "LAX")
    assert [image.frames.shape for image in study.lax] == [(FRAMES, 1, *SHAPE)] * 3
    assert study.warnings == (f"1 image was left out: {NO_PLACE}.",)
    left_out = {item.reason: item.count for item in study.left_out}
    assert left_out[kinds.SCOUT] == 15
    assert left_out[kinds.PHASE] == FRAMES
    assert left_out[NOT_DICOM] == 2
    assert left_out[NO_PLACE] == left_out[STILL] == 1
    assert len(left_out) == 5
    for image in (study.sax, *study.lax):
        assert_true_places(image)


@pytest.mark.parametrize("name", ["", "cine SAX"])
def test_short_axis_is_told_from_a_larger_axial_cine_stack(tmp_path, name):
    write_stack(
        tmp_path, places(12, 9, AXIAL), normal=AXIAL, series="5", SeriesDescription="cine transversal"
    )
    write_stack(tmp_path, places(), series="6", SeriesDescription=name)
    np.testing.assert_allclose(read_study(tmp_path).sax.normal, SAX_NORMAL, atol=1e-6)


def test_a_name_outweighs_the_usual_direction(tmp_path):
    write_stack(tmp_path, places(3, 9, AXIAL), normal=AXIAL, series="5", SeriesDescription="cine_short axis")
    write_stack(tmp_path, places(), series="6")
    np.testing.assert_allclose(read_study(tmp_path).sax.normal, AXIAL, atol=1e-6)


def test_newest_of_repeated_slices_is_used(tmp_path):
    write_stack(tmp_path, places(), series="5", SeriesDate="20240101", SeriesTime="100000")
    again = {
        "series": "4",
        "SeriesDate": "20240101",
        "SeriesTime": "110000",
        "RescaleSlope": 2,
        "RescaleIntercept": 5,
    }
    write_cine(tmp_path, places()[2], **again)
    study = read_study(tmp_path)
    assert "acquired again" in study.warnings[0]
    assert len(study.sax.origins) == 5
    wanted = 2.0 * tone(study.sax.plane(2).points(), 0) + 5
    np.testing.assert_allclose(study.sax.frames[0, 2], wanted, atol=2.01)


def test_copies_of_a_file_count_once(tmp_path):
    write_stack(tmp_path / "a", places())
    for path in list((tmp_path / "a").iterdir()):
        (tmp_path / f"copy {path.name}").write_bytes(path.read_bytes())
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 5)
    assert study.warnings == ()


def test_still_stack_of_one_phase_is_enough(tmp_path):
    for origin in places():
        write(dataset(origin), tmp_path)
    assert volumes.read_stack(tmp_path).frames.shape == (1, 5, *SHAPE)


def test_cine_stack_goes_before_a_larger_still_one_of_the_same_orientation(tmp_path):
    write_stack(tmp_path, places())
    for origin in places(9):
        write(dataset(origin, series="8", PixelSpacing=[1.1, 1.1]), tmp_path)
    assert volumes.read_stack(tmp_path).frames.shape == (FRAMES, 5, *SHAPE)


def test_slightly_different_orientations_are_made_one_about_the_centres(tmp_path):
    x, y = axes(SAX_NORMAL)
    half = (x * SPACING[0] * (SHAPE[1] - 1) + y * SPACING[1] * (SHAPE[0] - 1)) / 2
    centres = []
    for i, origin in enumerate(places(3)):
        tilted_x = unit(x + np.radians(i - 1) * SAX_NORMAL)
        centre = origin + half
        centres.append(centre)
        corner = centre - (tilted_x * SPACING[0] * (SHAPE[1] - 1) + y * SPACING[1] * (SHAPE[0] - 1)) / 2
        write_cine(
            tmp_path,
            origin,
            ImagePositionPatient=[f"{v:.9g}" for v in corner],
            ImageOrientationPatient=[f"{v:.9f}" for v in (*tilted_x, *y)],
        )
    stack = volumes.read_stack(tmp_path)
    np.testing.assert_allclose([stack.plane(s).centre for s in range(3)], centres, atol=1e-3)
    np.testing.assert_allclose(stack.normal, SAX_NORMAL, atol=1e-6)


def test_enhanced_multiframe_object(tmp_path):
    ds = dataset([0, 0, 0])
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "TriggerTime",
        "ImageType",
    ):
        delattr(ds, keyword)
    x, y = axes(SAX_NORMAL)
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [SPACING[1], SPACING[0]]
    orientation.ImageOrientationPatient = [f"{v:.9f}" for v in (*x, *y)]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    ds.SharedFunctionalGroupsSequence = [shared]
    groups, pixels = [], b""
    for frame in reversed(range(FRAMES)):
        for origin in places():
            group, position, timing, scale = Dataset(), Dataset(), Dataset(), Dataset()
            position.ImagePositionPatient = [f"{v:.9g}" for v in origin]
            timing.NominalCardiacTriggerDelayTime = 30.0 * frame
            scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = 0.5, 3, "US"
            group.PlanePositionSequence, group.CardiacSynchronizationSequence = [position], [timing]
            group.PixelValueTransformationSequence = [scale]
            groups.append(group)
            pixels += dataset(origin, frame=frame).PixelData
    ds.PerFrameFunctionalGroupsSequence, ds.NumberOfFrames, ds.PixelData = groups, len(groups), pixels
    write(ds, tmp_path)
    stack = volumes.read_stack(tmp_path)
    np.testing.assert_allclose(stack.times, 30 * np.arange(FRAMES))
    for s in range(5):
        wanted = 0.5 * tone(stack.plane(s).points(), 4) + 3
        np.testing.assert_allclose(stack.frames[4, s], wanted, atol=0.51)


def test_compressed_pixels_are_decoded_and_rescaled_once(tmp_path):
    write_stack(tmp_path, places(3), RescaleSlope=2, RescaleIntercept=-7)
    plain = volumes.read_stack(tmp_path).frames
    for number, path in enumerate(sorted(tmp_path.iterdir())):
        ds = pydicom.dcmread(path)
        if number % 2:
            jpeg2000(ds, tmp_path)
        else:
            ds.compress(RLELossless)
        ds.save_as(path)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID.is_compressed
    assert np.array_equal(volumes.read_stack(tmp_path).frames, plain)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real example study is not on this machine")
def test_real_study():
    study = read_study(DATA / "dicom")
    assert study.sax.frames.shape == (25, 6, 208, 256)
    assert study.lax_names == ("4CH", "4CH 2", "2CH", "2CH 2", "RVOT")
    assert study.warnings == ()
    assert study.sax.times[0] == 0
    for image in study.lax:
        assert image.frames.shape[:2] == (25, 1)
        assert abs(image.normal @ study.sax.normal) < 0.4


@pytest.mark.parametrize("normal", [*np.eye(3)])
def test_slices_that_lie_as_no_short_axis_does_are_pointed_out(tmp_path, normal):
    write_stack(tmp_path / "plain", places(normal=normal), normal=normal)
    (warning,) = read_study(tmp_path / "plain").warnings
    assert "another view" in warning
    write_stack(tmp_path / "named", places(normal=normal), normal=normal, SeriesDescription="cine sax")
    assert read_study(tmp_path / "named").warnings == ()


def test_an_enhanced_object_of_one_frame_is_a_slice(tmp_path):
    for number, data in enumerate([samples.dicom_bytes(samples.dicom_slice(number)) for number in (0, 2)]):
        (tmp_path / f"{number}.dcm").write_bytes(data)
    (tmp_path / "enhanced.dcm").write_bytes(samples.dicom_files(tmp_path)[-1])
    found = read_study(tmp_path).sax.frames
    np.testing.assert_array_equal(found, samples.stack().frames * 2 - 7)
