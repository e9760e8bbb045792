"""Nothing that tells of the patient leaves the input: its tags and its path are canaries."""

import base64
import gzip
import json

import pydicom
import pytest
from canaries import CANARIES, WORD, spilled, spilled_in, tags, write_canary_study

OPTIONS = ("--method", "shape", "--spacing", 5)


@pytest.fixture(scope="module")
def study(heart, phantom, tmp_path_factory, write_stack):
    """A study and drawn labels, under the patient's name."""
    folder = tmp_path_factory.mktemp("study")
    path = write_canary_study(folder, heart[0], phantom.lax["4ch"])
    return path, write_stack(folder / WORD / f"{WORD}.nrrd", *heart)


def told(answer) -> set[str]:
    return spilled(answer.out) | spilled(answer.err)


def test_the_canaries_are_in_the_study_and_would_be_found(study):
    dataset = pydicom.dcmread(next((study[0] / "sax").iterdir()))
    held = {str(element.value) for element in dataset}
    assert all(any(word in value for value in held) for word in CANARIES)
    assert {"PatientName", "PatientID", "PatientBirthDate", "StudyDate", "InstitutionName"} <= tags().keys()
    assert len(tags()) > 500
    picture = b"base64," + base64.b64encode(b"\x89PNG " + gzip.compress(WORD.encode()))
    for contents in (
        WORD,
        WORD.lower().encode(),
        WORD.encode("utf-16"),
        gzip.compress(b"a" + WORD.encode()),
        picture,
    ):
        assert spilled(contents) == {WORD}
    assert not spilled("nothing")


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_a_reconstruction_tells_nothing_of_the_patient(call, study, tmp_path, as_json):
    arguments = (
        "--output",
        tmp_path / "out",
        "--labels",
        study[1],
        *OPTIONS,
        *(["--json"] if as_json else []),
    )
    answer = call("reconstruct", study[0], *arguments)
    assert answer.code == 0
    assert "real long-axis image" in (tmp_path / "out" / "report.html").read_text()
    assert told(answer) == set()
    assert spilled_in(tmp_path) == {}
    record = json.loads((tmp_path / "out" / "result.json").read_text())
    assert record["input"]["slices"] == 4


@pytest.mark.slow
def test_labels_tell_nothing_of_the_patient(call, study, tmp_path):
    answer = call("segment", study[0], "--output", tmp_path / "labels.nrrd")
    assert answer.code == 0
    assert told(answer) == set()
    assert spilled_in(tmp_path) == {}


@pytest.mark.parametrize("fault", ["two subjects", "damaged", "no labels", "no input"])
def test_refusals_tell_nothing_of_the_patient(call, heart, tmp_path, fault):
    stack = heart[0]
    study = write_canary_study(tmp_path / "in", stack)
    labels = tmp_path / "in" / f"{WORD}.nrrd"
    if fault == "two subjects":
        write_canary_study(tmp_path / "in", stack, PatientID=f"{WORD}2")
    elif fault == "damaged":
        path = next((study / "sax").iterdir())
        path.write_bytes(path.read_bytes()[:700])
    elif fault == "no input":
        study = study / WORD
    answer = call("reconstruct", study, "--output", tmp_path / "out", "--labels", labels, *OPTIONS)
    assert answer.code == 2
    assert told(answer) == set()
    assert not (tmp_path / "out").exists()
