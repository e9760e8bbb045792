import pytest
from dmcvr.cohort.sources import subject_and_phase
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
