"""Every file and image is used or told of; what the stack may lack is a warning."""

import os

import numpy as np
import pydicom
import pytest
from dicomtones import (
    FRAMES,
    SAX_NORMAL,
    assert_true_places,
    axes,
    dataset,
    places,
    write,
    write_cine,
    write_stack,
)
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import unit
from dmcvr.io.dicom import headers, kinds, left_out
from dmcvr.io.dicom.study import read_study
from Fuzzing.samples import jpeg2000

MISSING = "2 slices that would extend the stack or fill a gap in it were left out"


@pytest.mark.parametrize(
    ("keywords", "reason"),
    [
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, kinds.COLOUR),
        ({"Modality": "CT", "series": "9"}, kinds.OTHER_MODALITY),
        ({"BurnedInAnnotation": "YES"}, kinds.BURNT_IN),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"], "series": "9"}, left_out.SECONDARY),
    ],
)
@pytest.mark.parametrize("which", ["end", "gap"])
def test_slices_that_the_stack_may_lack_are_a_warning(tmp_path, keywords, reason, which):
    lacking = {5, 6} if which == "end" else {2, 4}
    origins = places(7)
    write_stack(tmp_path, [origins[k] for k in range(7) if k not in lacking])
    write_stack(tmp_path, [origins[k] for k in sorted(lacking)], **keywords)
    study = read_study(tmp_path)
    assert len(study.sax.origins) == 5
    (told,) = study.left_out
    assert (told.what, told.count, told.reason, told.extends) == ("slice", 2, reason, True)
    assert f"{MISSING}: {reason}." in study.warnings


def test_still_slices_beyond_a_cine_are_a_warning_or_refused(tmp_path):
    write_stack(tmp_path / "a", places(5), SeriesDescription="cine SAX")
    for origin in places(7)[5:]:
        write(dataset(origin, series="8", SeriesDescription="SAX single phase"), tmp_path / "a")
    assert f"{MISSING}: {left_out.STILL}." in read_study(tmp_path / "a").warnings
    write_stack(tmp_path / "b", places(5), one_series=False)
    for origin in places(7)[5:]:
        write(dataset(origin, series="8"), tmp_path / "b")
    with pytest.raises(InputError, match="1 to 6"):
        read_study(tmp_path / "b")


@pytest.mark.parametrize("name", ["LGE psir", "perfusion", "T2 map"])
def test_images_that_are_not_meant_to_be_the_cine_are_no_warning(tmp_path, name):
    write_stack(tmp_path, places(5), SeriesDescription="cine SAX")
    for origin in places(8):
        write(dataset(origin, series="8", SeriesDescription=name), tmp_path)
    study = read_study(tmp_path)
    assert study.warnings == ()
    assert [(item.count, item.reason) for item in study.left_out] == [(8, left_out.OTHERWISE)]


def test_slices_beside_the_stack_or_far_along_it_do_not_extend_it(tmp_path):
    write_stack(tmp_path, places(5))
    beside = places(6)[5] + 60 * axes(SAX_NORMAL)[0]
    for origin, series in ((beside, "8"), (places(5)[4] + 90 * SAX_NORMAL, "9")):
        write_cine(tmp_path, origin, series=series)
    study = read_study(tmp_path)
    assert len(study.sax.origins) == 5
    assert study.warnings == ()
    assert sum(item.count for item in study.left_out) == 2 * FRAMES


def test_files_without_preamble_or_meta_information_are_read(tmp_path):
    write_stack(tmp_path, places(6))
    for number, path in enumerate(sorted(tmp_path.iterdir())):
        data = path.read_bytes()
        if number % 3 == 1:  # without the preamble, from the meta information on
            path.write_bytes(data[132:])
        elif number % 3 == 2:  # the data set alone
            length = int.from_bytes(data[140:144], "little")
            path.write_bytes(data[144 + length :])
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 6)
    assert_true_places(study.sax)
    assert study.left_out == ()


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("little", [True, False])
def test_data_sets_alone_are_read_in_every_byte_order(tmp_path, implicit, little):
    if implicit and not little:
        pytest.skip("there is no such transfer syntax")
    for origin in places(3):
        ds = dataset(origin)
        if not little:
            ds["PixelData"].value = ds.pixel_array.astype(">u2").tobytes()
        del ds.file_meta
        ds.save_as(tmp_path / f"{origin[0]}.dcm", implicit_vr=implicit, little_endian=little)
    assert_true_places(read_study(tmp_path).sax)


def test_links_are_followed_and_loops_end(tmp_path):
    study, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    write_stack(study / "part", places(3))
    write_stack(elsewhere / "folder", places(5)[3:4])
    file = write_cine(elsewhere, places(5)[4]) or sorted(elsewhere.glob("*.dcm"))
    (study / "folder").symlink_to(elsewhere / "folder")
    for path in file:
        (study / path.name).symlink_to(path)
    (study / "part" / "loop").symlink_to(study)
    (study / "gone").symlink_to(study / "nowhere")
    (study / "self").symlink_to(study / "self")
    found = read_study(study)
    assert len(found.sax.origins) == 5
    assert_true_places(found.sax)
    assert found.warnings == ("2 links were left out: a link that leads nowhere or to itself.",)


def test_files_that_may_not_be_read_are_told(tmp_path, monkeypatch):
    write_stack(tmp_path, places(5))
    secret = write(dataset(places(6)[5]), tmp_path, "secret.dcm")
    (tmp_path / "closed").mkdir()
    if os.geteuid():
        secret.chmod(0)
        (tmp_path / "closed").chmod(0)
    else:  # root may read everything
        deny(monkeypatch, secret, tmp_path / "closed")
    study = read_study(tmp_path)
    assert len(study.sax.origins) == 5
    assert {(item.what, item.count, item.unread) for item in study.left_out} == {
        ("file", 1, True),
        ("folder", 1, True),
    }
    assert len(study.warnings) == 2
    (tmp_path / "closed").chmod(0o700)


def deny(monkeypatch, *paths):
    """Make the system deny access to ``paths``."""
    refused = {str(path) for path in paths}

    def guarded(real):
        def call(path, *arguments, **keywords):
            if str(path) in refused:
                raise PermissionError(13, "Permission denied")
            return real(path, *arguments, **keywords)

        return call

    monkeypatch.setattr("os.listdir", guarded(os.listdir))
    monkeypatch.setattr("io.FileIO", guarded(__import__("io").FileIO))


def test_files_of_other_kinds_beside_the_images_are_counted(tmp_path):
    write_stack(tmp_path, places(5))
    (tmp_path / "stray.nii.gz").write_bytes(b"\x1f\x8b" + bytes(300))
    (tmp_path / "notes.txt").write_text("of the scan")
    (tmp_path / "zeros").write_bytes(bytes(2000))
    report = dataset(places()[0], Rows=None, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    write(report, tmp_path)
    os.mkfifo(tmp_path / "pipe")
    study = read_study(tmp_path)
    assert study.warnings == ()
    assert {(item.count, item.reason) for item in study.left_out} == {
        (3, headers.NOT_DICOM),
        (1, headers.NO_IMAGE),
        (1, "a device, a pipe or a socket"),
    }


def test_a_file_that_only_begins_like_dicom_does_not_hide_the_study(tmp_path):
    write_stack(tmp_path, places(5))
    begun = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff" + bytes(
        range(10)
    )
    (tmp_path / "begun").write_bytes(begun)
    study = read_study(tmp_path)
    assert study.warnings == (f"1 file was left out: {headers.NOT_READABLE}.",)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(b""), headers.EMPTY),
        (lambda path: path.write_bytes(path.read_bytes()[:420]), headers.NO_PIXELS),
        (lambda path: strip(path, "ImagePositionPatient"), headers.NO_PLACE),
        (lambda path: strip(path, "PixelSpacing"), headers.NO_PLACE),
    ],
)
def test_files_that_may_be_slices_of_the_stack_are_a_warning(tmp_path, spoil, reason):
    for number, origin in enumerate(places(6)):
        write(dataset(origin, SeriesDescription="sax"), tmp_path, f"{number}.dcm")
    spoil(tmp_path / "5.dcm")
    study = read_study(tmp_path)
    assert len(study.sax.origins) == 5
    (told,) = study.left_out
    assert (told.count, told.reason) == (1, reason)
    assert told.sentence in study.warnings


def strip(path, keyword):
    """Remove an attribute from a file."""
    ds = pydicom.dcmread(path)
    delattr(ds, keyword)
    ds.save_as(path)


def test_a_class_that_cannot_be_read_does_not_hide_the_study(tmp_path):
    write_stack(tmp_path, places(5))
    path = write(dataset(places()[0], Rows=None, SOPClassUID=None), tmp_path)
    path.write_bytes(path.read_bytes().replace(b"\x02\x00\x02\x00UI", b"\x02\x00\x02\x00Ux", 1))
    (told,) = read_study(tmp_path).left_out
    assert (told.count, told.reason, told.unread) == (1, headers.NO_PIXELS, True)


@pytest.mark.parametrize(("degrees", "told"), [(6, True), (12, True), (40, False)])
def test_slices_that_lean_against_the_stack_are_a_warning(tmp_path, degrees, told):
    write_stack(tmp_path, places(5), SeriesDescription="sax")
    x, _ = axes(SAX_NORMAL)
    leaning = unit(np.cos(np.radians(degrees)) * SAX_NORMAL + np.sin(np.radians(degrees)) * x)
    for origin in places(7)[5:]:
        write_cine(tmp_path, origin, normal=leaning, series="9")
    study = read_study(tmp_path)
    assert len(study.sax.origins) == 5
    assert (f"{MISSING}: {left_out.OTHER_DIRECTION}." in study.warnings) == told
    assert sum(item.count for item in study.left_out) == (2 if told else 2 * FRAMES)


def test_a_name_that_is_not_utf8_is_read(tmp_path):
    for number, origin in enumerate(places(3)):
        ds = dataset(origin)
        if number == 1:
            jpeg2000(ds, tmp_path)
        write(ds, tmp_path, f"{number}.dcm")
    for path in list(tmp_path.iterdir()):
        os.rename(path, os.fsencode(tmp_path) + b"/Sch\xe4del " + path.name.encode())
    assert_true_places(read_study(tmp_path).sax)


def test_nothing_of_the_patient_is_in_what_is_told(tmp_path):
    write_stack(tmp_path, places(5))
    write_stack(tmp_path, places(7)[5:], PhotometricInterpretation="RGB", SamplesPerPixel=3)
    told = read_study(tmp_path)
    words = " ".join([*told.warnings, *(item.sentence for item in told.left_out)])
    assert "Secret" not in words
    assert str(tmp_path) not in words
