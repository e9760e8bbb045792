import tracemalloc
from itertools import count
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dmcvr import volumes
from dmcvr.dicom import read_study
from dmcvr.errors import InputError
from dmcvr.geometry import unit
from Fuzzing import samples
from Fuzzing.samples import jpeg2000
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, RLELossless, generate_uid

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bivme"
SAX_NORMAL = unit([0.5, -0.6, -0.62])
AXIAL = np.array([0.0, 0.0, 1.0])
SHAPE, SPACING, FRAMES = (12, 16), (1.4, 1.6), 6  # (H, W); (x, y)
STUDY = generate_uid()
_number = count(1)


def axes(normal):
    """In-plane unit vectors of an image with this normal."""
    x = unit(np.cross([0.1, 1.0, 0.2], normal))
    return x, np.cross(normal, x)


def tone(points, frame):
    return np.round(1500 + points @ np.array([7.0, -5.0, 3.0]) + 11 * frame).astype(np.uint16)


def dataset(origin, normal=SAX_NORMAL, frame=0, series="1", **changes):
    """One MR image whose pixels hold the tone of their place and frame; None removes an attribute."""
    x, y = axes(normal)
    rows, columns = np.indices(SHAPE)[..., None]
    points = np.asarray(origin) + columns * x * SPACING[0] + rows * y * SPACING[1]
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = MRImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    ds.Modality, ds.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M"]
    ds.PatientID, ds.PatientName, ds.StudyInstanceUID = "17", "Secret^Name", STUDY
    ds.SeriesInstanceUID, ds.SeriesNumber = f"1.2.3.{series}", series.split(".")[0]
    ds.InstanceNumber, ds.TriggerTime = next(_number), 20.0 + 40.0 * frame
    ds.Rows, ds.Columns = SHAPE
    ds.PixelSpacing = [SPACING[1], SPACING[0]]
    ds.ImagePositionPatient = [f"{v:.9g}" for v in origin]
    ds.ImageOrientationPatient = [f"{v:.9f}" for v in (*x, *y)]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelData = tone(points, frame).tobytes()
    for keyword, value in changes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def write(ds, folder, name=None):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or f"{next(_number)}.dcm")
    ds.save_as(path, enforce_file_format=True)
    return path


def write_cine(folder, origin, frames=FRAMES, **keywords):
    for frame in range(frames):
        write(dataset(origin, frame=frame, **keywords), folder)


def write_stack(folder, origins, one_series=True, **keywords):
    for number, origin in enumerate(origins):
        write_cine(folder, origin, **({"series": "1" if one_series else str(number + 1)} | keywords))


def places(n=5, gap=9.0, normal=SAX_NORMAL):
    return [np.array([-40.0, 10.0, 25.0]) + i * gap * normal for i in range(n)]


def assert_true_places(stack):
    """Every pixel holds the tone of the place where the stack says it lies."""
    for frame in range(len(stack.frames)):
        for s in range(len(stack.origins)):
            wanted = tone(stack.plane(s).points(), frame).astype(float)
            np.testing.assert_allclose(stack.frames[frame, s], wanted, atol=1.01)


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
    parallel = {"series": "43", "PixelSpacing": [1.0, 1.0]}
    write_cine(tmp_path, places()[1], **parallel)  # crosses nothing
    write(dataset([0, 0, 0], ImagePositionPatient=None), tmp_path)
    (tmp_path / "DICOMDIR").write_bytes(b"no image")
    (tmp_path / "report.txt").write_text("no DICOM")
    study = read_study(tmp_path)
    assert study.sax.frames.shape == (FRAMES, 5, *SHAPE)
    assert study.lax_names == ("4CH", "4CH 2", "LAX")
    assert [image.frames.shape for image in study.lax] == [(FRAMES, 1, *SHAPE)] * 3
    assert study.warnings == ()
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


@pytest.mark.parametrize("where", ["end", "header"])
def test_damaged_files_are_refused(tmp_path, capfd, where):
    write_stack(tmp_path, places())
    path = next(tmp_path.iterdir())
    data = path.read_bytes()
    path.write_bytes(data[:-100] if where == "end" else data[:420])
    with pytest.raises(InputError, match=r"damaged|different numbers"):
        volumes.read_stack(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_undecodable_compression_is_refused(tmp_path, capfd):
    write_stack(tmp_path, places())
    path = next(tmp_path.iterdir())
    ds = pydicom.dcmread(path)
    ds.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51" + b"\x00" * 60])
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
    ds.save_as(path)
    with pytest.raises(InputError, match="compressed in an unknown way"):
        volumes.read_stack(tmp_path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"PatientID": "18"}, "more than one patient"),
        ({"PatientName": "Other^Name"}, "more than one patient"),
        ({"StudyInstanceUID": generate_uid()}, "more than one examination"),
    ],
)
def test_two_subjects_or_studies_are_refused_without_naming_them(tmp_path, changes, message):
    write_stack(tmp_path / "a", places())
    write_stack(tmp_path / "b", places(), series="9", **changes)
    with pytest.raises(InputError, match=message) as caught:
        read_study(tmp_path)
    assert not any(secret in str(caught.value) for secret in ("17", "18", "Secret", "Other"))


def test_slices_with_different_numbers_of_frames_are_refused(tmp_path):
    write_stack(tmp_path, places(4))
    write_cine(tmp_path, places(5)[4], frames=FRAMES + 2)
    with pytest.raises(InputError, match="6 to 8"):
        read_study(tmp_path)


def test_mixed_sizes_are_no_stack(tmp_path):
    write_stack(tmp_path, places(1))
    write_stack(tmp_path, places(2)[1:], PixelSpacing=[2.0, 2.0])
    with pytest.raises(InputError, match="no stack"):
        read_study(tmp_path)


def test_folders_without_usable_images_are_refused(tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.dcm").write_text("not DICOM")
    with pytest.raises(InputError, match="no DICOM images"):
        read_study(tmp_path / "text")
    write_stack(tmp_path / "placeless", places(), ImageOrientationPatient=None)
    with pytest.raises(InputError, match="where it lies"):
        read_study(tmp_path / "placeless")
    write_stack(tmp_path / "colour", places(), PhotometricInterpretation="RGB", SamplesPerPixel=3)
    with pytest.raises(InputError, match="in colour"):
        read_study(tmp_path / "colour")
    write_cine(tmp_path / "single", places()[0])
    with pytest.raises(InputError, match="no stack of parallel"):
        read_study(tmp_path / "single")
    write_stack(tmp_path / "scout", places(2), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    write_stack(tmp_path / "scout", places(4)[2:], SeriesDescription="3-plane_localiser")
    with pytest.raises(InputError, match="no stack of parallel"):
        read_study(tmp_path / "scout")


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


# Whether a folder whose images all lack an attribute can be read, and what is said where it cannot.
WITHOUT = {
    **dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"), "where it lies"),
    **{"Columns": "where it lies", "Rows": "no DICOM images"},
    **dict.fromkeys(("SamplesPerPixel", "BitsStored", "PixelRepresentation", "PixelData"), "damaged"),
    **dict.fromkeys(("PhotometricInterpretation",), "damaged"),
    **dict.fromkeys(("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"), None),
    **dict.fromkeys(("ImageType", "Modality", "PatientName", "PatientID", "SeriesNumber", "HighBit"), None),
    **dict.fromkeys(("TriggerTime", "InstanceNumber"), None),
}


@pytest.mark.parametrize("keyword", WITHOUT)
def test_missing_attributes_do_no_harm_or_are_refused(tmp_path, keyword):
    write_stack(tmp_path, places(3), **{keyword: None})
    if WITHOUT[keyword] is None:
        stack = volumes.read_stack(tmp_path)
        np.testing.assert_allclose(stack.origins, places(3), atol=1e-6)
        assert_true_places(stack)
        assert (stack.times is None) == (keyword == "TriggerTime")
    else:
        with pytest.raises(InputError, match=WITHOUT[keyword]):
            volumes.read_stack(tmp_path)


@pytest.mark.parametrize("keyword", ["Rows", "BitsStored", "PixelRepresentation"])
def test_attributes_of_two_values_where_one_belongs_are_refused(tmp_path, keyword):
    ds = dataset(places()[0])
    write_stack(tmp_path, places(3)[1:], frames=1)
    setattr(ds, keyword, [getattr(ds, keyword)] * 2)
    write(ds, tmp_path)
    if keyword == "Rows":  # an image without a size is passed over as one without a place
        assert len(read_study(tmp_path).sax.origins) == 2
    else:
        with pytest.raises(InputError, match="damaged"):
            read_study(tmp_path)


@pytest.mark.parametrize("modality", ["CT", "PT", "US"])
def test_images_of_another_modality_are_passed_over_or_refused(tmp_path, modality):
    write_stack(tmp_path / "other", places(12), series="9", Modality=modality, SeriesDescription="sax")
    with pytest.raises(InputError, match="None of the DICOM images is from MR"):
        read_study(tmp_path)
    write_stack(tmp_path / "mr", places())
    assert read_study(tmp_path).sax.frames.shape[1] == 5


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


def test_a_size_that_is_a_mere_claim_takes_no_memory(tmp_path):
    write_stack(tmp_path, places(3), frames=1, Rows=60000, Columns=60000)
    with pytest.raises(InputError, match="10800 million voxels"):
        read_study(tmp_path)
    write_stack(tmp_path / "b", places(3), frames=1, Rows=12000, Columns=12000)
    tracemalloc.start()
    with pytest.raises(InputError, match="damaged"):
        read_study(tmp_path / "b")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
