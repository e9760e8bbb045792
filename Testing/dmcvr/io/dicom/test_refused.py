import tracemalloc

import numpy as np
import pydicom
import pytest
from dicomtones import (
    FRAMES,
    assert_true_places,
    dataset,
    places,
    write,
    write_cine,
    write_stack,
)
from dmcvr.core.errors import InputError
from dmcvr.io import volumes
from dmcvr.io.dicom.study import read_study
from pydicom.uid import DeflatedExplicitVRLittleEndian, generate_uid


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


def test_a_data_set_that_unpacks_without_end_takes_no_memory(tmp_path):
    write_stack(tmp_path, places(3), frames=1)
    ds = dataset(places(4)[3])
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.PixelData = bytes(1 << 26)
    write(ds, tmp_path)
    del ds
    tracemalloc.start()
    with pytest.raises(InputError, match="damaged"):
        read_study(tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
