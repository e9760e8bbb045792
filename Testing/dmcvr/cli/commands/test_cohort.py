import json
import shutil

import pyarrow.parquet as pq
import pytest
from dmcvr.cohort.records import RECORD, read_record
from dmcvr.model.inference import Model
from dmcvr.system.ownership import LISTED

QUICK = ("--method", "linear", "--spacing", 4, "--expert-labels", "--keep", "record")


@pytest.fixture
def folder(tmp_path, labelled_case, write_stack):
    """Three subjects of two phases each, and a file that is no image."""
    for subject in "abc":
        for phase, slices in (("ED", 4), ("ES", 3)):
            stack, labels = labelled_case(slices=slices)
            write_stack(tmp_path / "in" / f"{subject}_{phase}.nrrd", stack)
            write_stack(tmp_path / "in" / f"{subject}_{phase}_gt.nrrd", stack, labels[None])
    (tmp_path / "in" / "d.nrrd").write_bytes(b"no image")
    return tmp_path / "in"


@pytest.fixture
def cohort(call, folder, tmp_path):
    """Runs the command; its answer."""

    def run(*arguments):
        return call("cohort", folder, "--output", tmp_path / "out", *QUICK, *arguments)

    return run


def records(output):
    return {path.parent.name: read_record(path.parent) for path in output.rglob(RECORD)}


def lines(answer):
    return [json.loads(line) for line in answer.out.splitlines()]


def test_slices_are_put_in_register_and_beats_fitted_as_asked(cohort, tmp_path):
    answer = cohort("--shard", "1/1", "--align", "off", "--each-frame", "--no-extrapolation")
    assert answer.code == 0
    options = [record["options"] for record in records(tmp_path / "out").values()]
    chosen = {(item["align"], item["fit_cycle"], item["extrapolate"]) for item in options}
    assert chosen == {("off", False, False)}


def test_parts_without_dask_and_one_table_of_all(cohort, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    output = tmp_path / "out"
    answers = [cohort("--shard", f"{index}/2", "--json") for index in (1, 2)]
    assert [answer.code for answer in answers] == [0, 0]
    done = [line for answer in answers for line in lines(answer)]
    assert sorted(line["case"] for line in done) == [*(f"{s}_{p}" for s in "abc" for p in ("ED", "ES")), "d"]
    assert [line["case"] for line in done if line["status"] == "failed"] == ["d"]
    assert not (output / "cohort.csv").exists()
    answer = cohort("--collect")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("6 cases done, 1 failed: ")
    table = pq.read_table(output / "cohort.parquet").to_pylist()
    assert {row["name"]: row["ef_percent"] is not None for row in table} == {
        name: name != "d" for name in records(output)
    }
    assert sorted(path.name for path in output.iterdir()) == [
        LISTED,
        "cases",
        "cohort.csv",
        "cohort.html",
        "cohort.parquet",
    ]


def test_a_rerun_skips_what_stands_and_redoes_what_does_not(cohort, folder, tmp_path):
    cohort("--shard", "1/1")
    shutil.copy(folder / "b_ED.nrrd", folder / "a_ES.nrrd")  # other slices than its labels
    shutil.copy(folder / "b_ED_gt.nrrd", folder / "a_ES_gt.nrrd")
    next((tmp_path / "out").rglob(f"c_ED/{RECORD}")).unlink()
    states = {line["case"]: line["status"] for line in lines(cohort("--shard", "1/1", "--json"))}
    assert states == {
        **dict.fromkeys(("a_ED", "b_ED", "b_ES", "c_ES"), "skipped"),
        **dict.fromkeys(("a_ES", "c_ED"), "done"),
        "d": "failed",
    }
    again = lines(cohort("--shard", "1/1", "--json", "--seed", 1))
    assert [line["status"] for line in again].count("done") == 6


def test_only_some_cases(cohort, tmp_path):
    assert cohort("--shard", "1/1", "--cases", "^a_").code == 0
    assert sorted(records(tmp_path / "out")) == ["a_ED", "a_ES"]


def test_nothing_tells_where_the_files_lay(cohort, tmp_path):
    cohort("--shard", "1/1")
    cohort("--collect")
    for path in (tmp_path / "out").rglob("*"):
        if path.suffix in (".json", ".csv", ".html"):
            assert str(tmp_path) not in path.read_text()


def test_the_model_is_known_by_its_card(model):
    from dmcvr.model.bundle import DEFAULT_BUNDLE, model_sha256, read_card

    assert model_sha256(read_card(DEFAULT_BUNDLE)) == model.sha256
    assert isinstance(model, Model)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--cases", "nobody"), "no short-axis stacks"),
        (("--collect",), "no records to collect"),
        (("--cases", "("), "regular expression"),
        (("--shard", "3/2"), "1/8"),
        (("--shard", "0/2"), "1/8"),
        (("--frame", "all,ed"), "one by one"),
        (("--shard", "1/2", "--workers", "2"), "not allowed with"),
        (("--model", "nowhere", "--shard", "1/1"), "model.json"),
    ],
)
def test_bad_usage_is_one_sentence_and_nothing_is_written(refused, folder, tmp_path, arguments, sentence):
    assert sentence in refused("cohort", folder, "--output", tmp_path / "out", *QUICK, *arguments)


def test_output_among_the_inputs(refused, folder):
    assert "overwrite the input" in refused("cohort", folder, "--output", folder / "out", *QUICK)
