"""A result goes back into its study as DICOM, and other programs find it in its place there."""

import sys
from dataclasses import replace

import dmcvr
import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicomfiles import NAME, STUDY, write_dicom
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.core.terminology import TERMS
from dmcvr.io.dicom.label_objects import HINT
from pydicom.uid import generate_uid

PLACE = generate_uid()
LINEAR = ("--method", "linear", "--spacing", 5, "--quiet")


@pytest.fixture(scope="module")
def study(heart, tmp_path_factory):
    """A DICOM folder of the small heart."""
    folder = tmp_path_factory.mktemp("study") / "dicom"
    write_dicom(folder, heart[0], FrameOfReferenceUID=PLACE, PatientSex="F", StudyDate="20200102")
    return folder


@pytest.fixture
def result(call, files, study, tmp_path):
    """A reconstruction of the study."""
    arguments = ("reconstruct", study, "-o", tmp_path / "result", "--labels", files["labels"], *LINEAR)
    assert call(*arguments).code == 0
    return tmp_path / "result"


@pytest.fixture
def exported(call, result, study, tmp_path):
    """The folder of the result's DICOM files."""
    answer = call("export-dicom", result, "--like", study, "--output", tmp_path / "out")
    assert (answer.code, answer.err) == (0, "")
    assert "identity of the patient" in answer.out
    return tmp_path / "out"


def test_another_reader_finds_the_volume_where_it_was(exported, result):
    names = sorted(str(path) for path in exported.glob("image_*.dcm"))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(names)
    image, volume = reader.Execute(), sitk.ReadImage(str(result / "volume.nrrd"))
    assert image.GetSize() == volume.GetSize()
    for one, other in (
        (image.GetOrigin(), volume.GetOrigin()),
        (image.GetSpacing(), volume.GetSpacing()),
        (image.GetDirection(), volume.GetDirection()),
    ):
        np.testing.assert_allclose(one, other, atol=1e-5)
    np.testing.assert_allclose(
        sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(volume), atol=0.501, rtol=0
    )


def test_the_images_belong_to_the_study_and_are_marked(exported, study):
    source = [pydicom.dcmread(path) for path in study.iterdir()]
    images = [pydicom.dcmread(path) for path in sorted(exported.glob("image_*.dcm"))]
    assert len({image.SOPInstanceUID for image in images}) == len(images) > len(source)
    (series,) = {image.SeriesInstanceUID for image in images}
    assert series != source[0].SeriesInstanceUID
    for image in images:
        assert (image.PatientName, image.PatientID, image.PatientSex) == (NAME, "4711", "F")
        assert (image.StudyInstanceUID, image.StudyDate) == (STUDY, "20200102")
        assert image.FrameOfReferenceUID == PLACE
        assert image.ImageType[:2] == ["DERIVED", "SECONDARY"]
        for text in (image.SeriesDescription, image.DerivationDescription, image.ImageComments):
            assert "research use only" in text
        made_of = {item.ReferencedSOPInstanceUID for item in image.SourceImageSequence}
        assert made_of == {item.SOPInstanceUID for item in source}
    said = [image.ImageComments.partition(".")[0] for image in images]
    assert said.count("Acquired slice") == len(source)
    assert "Generated slice" in said


def test_the_segmentation_is_coded_and_lies_on_the_volume(exported, result):
    segmentation = highdicom.seg.segread(exported / "segmentation_000.dcm")
    assert (segmentation.PatientID, segmentation.StudyInstanceUID) == ("4711", STUDY)
    assert segmentation.FrameOfReferenceUID == PLACE
    for label in (LVC, LVM, RVC):
        segment = segmentation.get_segment_description(label)
        coded = segment.segmented_property_type
        assert (coded.value, coded.meaning, coded.scheme_designator) == (*TERMS[label], "SCT")
        assert segment.algorithm_type.value == "SEMIAUTOMATIC"  # an expert drew the acquired slices
    labels = sitk.ReadImage(str(result / "labels.nrrd"))
    drawn = segmentation.get_volume(combine_segments=True)
    array = sitk.GetArrayFromImage(labels)
    filled = np.argwhere(drawn.array)
    assert len(filled) == np.count_nonzero(array)
    for index in filled[:: len(filled) // 50]:
        place = drawn.affine @ [*index, 1]
        at = labels.TransformPhysicalPointToIndex(place[:3])
        assert labels.GetPixel(at) == drawn.array[tuple(index)]


def test_the_export_alone_carries_the_patients_identity(exported, result):
    secrets = NAME.encode(), STUDY.encode()
    for path in result.iterdir():
        assert not any(secret in path.read_bytes() for secret in secrets)
    for path in exported.glob("*.dcm"):
        assert all(secret in path.read_bytes() for secret in secrets)


def test_names_of_any_script_stay_as_they_are(call, heart, files, tmp_path):
    for number, (charset, name) in enumerate(
        (("ISO_IR 192", "Yamada^Tarou=山田^太郎=やまだ^たろう"), ("ISO_IR 100", "Müller^Jörg"))
    ):
        study, result, out = (tmp_path / f"{what}{number}" for what in ("study", "result", "out"))
        write_dicom(study, heart[0], SpecificCharacterSet=charset, PatientName=name)
        assert call("reconstruct", study, "-o", result, "--labels", files["labels"], *LINEAR).code == 0
        assert call("export-dicom", result, "--like", study, "-o", out).code == 0
        for path in out.glob("*_000*.dcm"):
            assert str(pydicom.dcmread(path).PatientName) == name


@pytest.mark.parametrize("odd", ["displaced", "blank"])
def test_a_converted_study_of_displaced_or_blank_slices_is_known_again(call, heart, odd, tmp_path):
    """Its result has slices straight above each other, and none that show nothing."""
    stack, labels = heart
    if odd == "displaced":
        lean = np.arange(4)[:, None] * stack.step_x * 2
        frames = np.stack([np.roll(stack.frames[:, s], -2 * s, 2) for s in range(4)], 1)
        stack = replace(stack, frames=frames, origins=stack.origins + lean)
        labels = np.stack([np.roll(labels[:, s], -2 * s, 2) for s in range(4)], 1)
    else:
        stack = replace(stack, frames=stack.frames * np.array([1, 1, 1, 0])[:, None, None])
    write_dicom(tmp_path / "dicom", stack, FrameOfReferenceUID=PLACE)
    dmcvr.reconstruct(stack, labels=labels, method="linear", spacing=5.0).save(tmp_path / "result")
    answer = call("export-dicom", tmp_path / "result", "--like", tmp_path / "dicom", "-o", tmp_path / "out")
    assert (answer.code, answer.err) == (0, "")


def test_a_result_of_the_converted_study_goes_into_it_too(call, files, study, tmp_path):
    arguments = ("reconstruct", files["sax"], "-o", tmp_path / "result", "--labels", files["labels"], *LINEAR)
    assert call(*arguments).code == 0
    answer = call("export-dicom", tmp_path / "result", "--like", study, "-o", tmp_path / "out", "-q")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert (tmp_path / "out" / "segmentation_000.dcm").exists()


def test_a_result_as_nifti_is_exported_as_well(call, files, study, tmp_path):
    arguments = ("reconstruct", study, "-o", tmp_path / "result", "--labels", files["labels"], *LINEAR)
    assert call(*arguments, "--format", "nifti").code == 0
    assert call("export-dicom", tmp_path / "result", "--like", study, "-o", tmp_path / "out").code == 0


class TestRefusals:
    """Nothing is written under an identity that may be another's."""

    def test_a_study_that_shows_something_else(self, refused, result, heart, tmp_path):
        other = heart[0].select()
        write_dicom(
            tmp_path / "other",
            other.__class__(other.frames[..., ::-1].copy(), other.origins, other.step_x, other.step_y),
        )
        said = refused("export-dicom", result, "--like", tmp_path / "other", "-o", tmp_path / "out")
        assert "not of the study" in said

    def test_a_study_that_lies_elsewhere(self, refused, result, heart, tmp_path):
        stack = heart[0]
        moved = stack.__class__(stack.frames, stack.origins + 3.0, stack.step_x, stack.step_y)
        write_dicom(tmp_path / "other", moved)
        said = refused("export-dicom", result, "--like", tmp_path / "other", "-o", tmp_path / "out")
        assert "not of the study" in said

    def test_what_is_no_result_or_no_folder(self, refused, study, result, tmp_path):
        assert "result.json" in refused("export-dicom", study, "--like", study, "-o", tmp_path / "out")
        file = result / "volume.nrrd"
        assert "DICOM folder" in refused("export-dicom", result, "--like", file, "-o", tmp_path / "out")

    def test_into_the_study_itself(self, refused, study, result):
        assert "lie among it" in refused("export-dicom", result, "--like", study, "-o", study / "out")

    def test_without_highdicom(self, refused, study, result, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "highdicom", None)
        assert HINT in refused("export-dicom", result, "--like", study, "-o", tmp_path / "out")
