import os
import re
from collections import Counter

import pytest
from dmcvr.cohort.sources import find_stacks, subject_and_phase
from dmcvr.core.errors import InputError


@pytest.fixture
def touch(tmp_path):
    """Makes empty files; finding does not open them."""

    def make(*names):
        for name in names:
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        return tmp_path / "data"

    return make


def test_pairs_of_phases_with_labels(touch, found):
    folder = touch(*(f"p1_{phase}{kind}.nii.gz" for phase in ("ED", "ES") for kind in ("", "_gt")), "p2.nrrd")
    cases = found(folder, expert_labels=True)
    facts = [(case.name, case.subject, case.phase, case.labels and case.labels.name) for case in cases]
    assert facts == [
        ("p1_ED", "p1", "ED", "p1_ED_gt.nii.gz"),
        ("p1_ES", "p1", "ES", "p1_ES_gt.nii.gz"),
        ("p2", "p2", None, None),
    ]
    assert [case.labels for case in found(folder)] == [None] * 3


def test_a_folder_a_subject_and_labels_and_other_views_left_out(touch, found):
    inside = ("sax.nrrd", "sax_labels.nrrd", "lax_4ch.nrrd", "truth_ed.seg.nrrd", "notes.txt", ".hidden.nrrd")
    cases = found(touch(*(f"{who}/{name}" for who in ("b", "a") for name in inside)), expert_labels=True)
    assert [(case.name, case.labels.name) for case in cases] == [
        ("a_sax", "sax_labels.nrrd"),
        ("b_sax", "sax_labels.nrrd"),
    ]


def test_names_as_of_bids(touch, found):
    folder = touch(
        "sub-01/ses-2/anat/sub-01_ses-2_acq-sax_cine.nii.gz",
        "sub-02/anat/sub-02_acq-sax_ED_bssfp.nii.gz",
        "sub-02/anat/sub-02_acq-4ch_cine.nii.gz",
        "derivatives/sub-01/sub-01_seg2.nii.gz",
    )
    facts = [(case.name, case.subject, case.phase) for case in found(folder)]
    assert facts == [
        ("sub-01_ses-2_acq-sax_cine", "sub-01_ses-2", None),
        ("sub-02_acq-sax_ED_bssfp", "sub-02", "ED"),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a_ED", ("a", "ED")),
        ("a-es", ("a", "ES")),
        ("shed", ("shed", None)),
        ("sub-7_ES_x", ("sub-7", "ES")),
        ("sub-7_shed", ("sub-7", None)),
    ],
)
def test_subject_and_phase(name, expected):
    assert subject_and_phase(name) == expected


def test_one_name_in_two_formats_is_refused(touch, found):
    with pytest.raises(InputError, match="the name a"):
        found(touch("a.nrrd", "a.nii"))


def test_an_index(touch, found, write_index, tmp_path):
    touch("x/1.nrrd")
    blank = dict.fromkeys(("name", "subject", "phase", "labels", "frame"), "")
    index = write_index(
        {"path": "data/x/1.nrrd", **blank},
        {
            "path": "2.nii.gz",
            **blank,
            "name": "b",
            "subject": "s",
            "phase": "es",
            "frame": "7",
            "labels": "l.nii",
        },
    )
    first, second = found(index, expert_labels=True)
    assert (first.name, first.subject, first.path, first.frame) == (
        "1",
        "1",
        tmp_path / "data/x/1.nrrd",
        "ed",
    )
    assert (second.name, second.subject, second.phase, second.frame) == ("b", "s", "ES", 7)
    assert second.labels == tmp_path / "l.nii"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"file": "a"}, "no column named path"),
        ({"path": "", "name": "a"}, "Line 2 of the index names no path"),
        ({"path": "a", "phase": "mid"}, "ED, ES or empty"),
        ({"path": "a", "frame": "-1"}, "a number from 0"),
    ],
)
def test_what_is_wrong_with_an_index_is_said(found, write_index, row, sentence):
    with pytest.raises(InputError, match=sentence):
        found(write_index(row))


def test_inputs_of_other_kinds(found, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        found(tmp_path / "missing")
    (tmp_path / "a.nrrd").write_text("")
    with pytest.raises(InputError, match="dmcvr reconstruct"):
        found(tmp_path / "a.nrrd")
    (tmp_path / "index.csv").write_bytes(b"path\n\xff\xfe\n")
    with pytest.raises(InputError, match="UTF-8"):
        found(tmp_path / "index.csv")


@pytest.fixture
def passed_over():
    """Names of the cases of a folder, and what was not taken for a stack."""

    def find(folder):
        left_out = Counter()
        return [case.name for case in find_stacks(folder, left_out)], dict(left_out)

    return find


@pytest.mark.parametrize(
    "name",
    ["LA_012_sax", "la_7", "sax_la_cohort", "patient_sa_lax_study", "ao_3_cine", "sub-1_sax", "p1_0000"],
)
def test_names_of_stacks(touch, passed_over, name):
    assert passed_over(touch(f"{name}.nii.gz")) == ([name], {})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("p1_segmentation.nii.gz", "label files"),
        ("p1-mask.nrrd", "label files"),
        ("SAX.labelmap.mha", "label files"),
        ("p1_sax_pred.nii", "label files"),
        ("labelsTr/p1.nii.gz", "label files"),
        ("p1/masks/sax.nii.gz", "label files"),
        ("anything.seg.nrrd", "label files"),
        ("p1_la.nii.gz", "other views"),
        ("p1_4ch_cine.nii.gz", "other views"),
        ("lax.nii.gz", "other views"),
    ],
)
def test_labels_and_other_views_are_counted(touch, passed_over, name, kind):
    assert passed_over(touch(name, "p1_sax.nrrd")) == (["p1_sax"], {kind: 1})


def test_a_folder_as_of_nnunet(touch, passed_over):
    folder = touch(
        "imagesTr/p1_0000.nii.gz", "labelsTr/p1.nii.gz", "imagesTs/p2_0000.nii.gz", "labelsTs/p2.nii.gz"
    )
    assert passed_over(folder) == (["imagesTr_p1_0000", "imagesTs_p2_0000"], {"label files": 2})


def test_linked_folders_are_followed_and_loops_end(touch, passed_over, tmp_path):
    folder = touch("a/1.nrrd")
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "deep" / "2.nrrd").write_text("")
    (folder / "linked").symlink_to(elsewhere)
    (elsewhere / "up").symlink_to(folder)
    (folder / "a" / "itself").symlink_to(folder / "a")
    (folder / "nowhere").symlink_to(tmp_path / "none")
    assert passed_over(folder) == (["a_1", "linked_deep_2"], {})


def test_a_stray_image_does_not_hide_dicom(touch, passed_over, write_patient, labelled_case):
    folder = touch("stray.nii.gz", "notes.txt")
    write_patient(folder / "study", labelled_case()[0], "4711")
    names, _ = passed_over(folder)
    assert names[0] == "stray"
    assert names[1].startswith("exam-")
    assert len(names) == 2


def test_linked_dicom_folders_are_found_once(found, write_patient, labelled_case, tmp_path):
    write_patient(tmp_path / "disk" / "study", labelled_case()[0], "4711")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one").symlink_to(tmp_path / "disk" / "study")
    (tmp_path / "in" / "two").symlink_to(tmp_path / "disk" / "study")
    (case,) = found(tmp_path / "in")
    assert len(case.inputs) == 3


def test_names_that_are_no_text_are_told_apart(found, tmp_path):
    for name in (b"caf\xe9.nrrd", b"caf\xe8.nrrd"):
        (tmp_path / os.fsdecode(name)).write_text("")
    names = [case.name for case in found(tmp_path)]
    assert len(set(names)) == 2
    assert all(re.fullmatch("caf_-[0-9a-f]{6}", name) for name in names)


def test_a_folder_that_may_not_be_looked_into_is_counted(touch, passed_over, monkeypatch):
    folder = touch("a/1.nrrd", "b/2.nrrd")
    listdir = os.listdir

    def deny(place):
        if str(place).endswith("b"):
            raise PermissionError
        return listdir(place)

    monkeypatch.setattr(os, "listdir", deny)
    assert passed_over(folder) == (["a_1"], {"folders that may not be looked into": 1})
