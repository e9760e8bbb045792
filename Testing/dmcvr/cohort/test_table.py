import csv
import json

import pyarrow.parquet as pq
import pytest
from dmcvr.cohort.records import RECORD, case_folder
from dmcvr.cohort.table import BATCH, COLUMNS, rows, write_tables
from dmcvr.cohort.work import run_case


@pytest.fixture
def output(pair, add_stack, found, settings):
    """Records of a pair of phases and of a damaged file."""
    add_stack(pair, "b").write_bytes(b"no image")
    for case in found(pair, expert_labels=True):
        run_case(case, settings)
    return settings.output


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_for_every_record_with_function_over_both_phases(output):
    ed, es, bad = sorted(rows(output), key=lambda row: row["name"])
    assert [row["status"] for row in (ed, es, bad)] == ["done", "done", "failed"]
    assert ed["edv_ml"] == es["edv_ml"] == ed["lvc_ml"]
    assert ed["esv_ml"] == es["esv_ml"] == es["lvc_ml"]
    assert ed["ef_percent"] == pytest.approx(100 * (1 - es["lvc_ml"] / ed["lvc_ml"]))
    assert 0 < ed["ef_percent"] < 100
    assert [(row["phase"], row["frame"]) for row in (ed, es)] == [("ED", None), ("ES", None)]
    assert (ed["slices"], es["slices"], ed["gap_mm"]) == (4, 3, 8.0)
    assert ed["flags"].startswith("LV volume low")
    assert "few slices" in ed["flags"]
    assert "cannot be read" in bad["cause"]
    assert bad["edv_ml"] is None
    assert (output / ed["folder"] / RECORD).exists()


def test_the_phase_is_that_of_the_heart(output, case):
    folder = case_folder(output, case)
    record = json.loads((folder / RECORD).read_text())
    several = {**record["result"], "volumes": [{"LVC": ml, "LVM": 1, "RVC": 2} for ml in (3, 4, 5)]}
    several["stack_volumes"] = several["volumes"]
    for name, phase, result, expected in (
        ("told", "ED", record["result"], "ED"),
        ("found", None, {**record["result"], "ed": None, "es": 0}, "ES"),
        ("unknown", None, {**record["result"], "ed": None, "es": None}, None),
        ("whole", None, {**several, "ed": 2, "es": 0}, "cycle"),
    ):
        copy = folder.parent / name
        copy.mkdir()
        changed = {**record, "name": name, "subject": name, "phase": phase, "result": result}
        (copy / RECORD).write_text(json.dumps(changed))
        (row,) = (row for row in rows(output) if row["name"] == name)
        assert row["phase"] == expected
    assert row["lvc_ml"] == 5


def test_both_files_hold_the_same(output):
    seen = []
    write_tables(output, seen.append)
    text, parquet = read_csv(output / "cohort.csv"), pq.read_table(output / "cohort.parquet").to_pylist()
    assert parquet == seen == list(rows(output))
    assert list(text[0]) == list(COLUMNS)
    assert [row["name"] for row in text] == [row["name"] for row in parquet]
    for a, b in zip(text, parquet, strict=True):
        if b["edv_ml"] is not None:
            assert float(a["edv_ml"]) == pytest.approx(b["edv_ml"], abs=1e-3)
    assert "Doe" not in (output / "cohort.csv").read_text()


def test_an_empty_cohort_has_an_empty_table(tmp_path):
    write_tables(tmp_path, lambda row: pytest.fail("there is no row"))
    assert pq.read_table(tmp_path / "cohort.parquet").num_rows == 0


def test_more_rows_than_one_batch(output, case, settings):
    folder = case_folder(output, case)
    record = json.loads((folder / RECORD).read_text())
    for number in range(BATCH + 5):
        copy = folder.parent / f"copy{number:04d}"
        copy.mkdir()
        (copy / RECORD).write_text(json.dumps({**record, "name": copy.name, "subject": copy.name}))
    write_tables(output, lambda row: None)
    assert pq.read_table(output / "cohort.parquet").num_rows == BATCH + 5 + 3
    assert len(read_csv(output / "cohort.csv")) == BATCH + 5 + 3


def test_a_name_that_a_spreadsheet_would_compute_is_text(output, case):
    folder = case_folder(output, case)
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({**record, "subject": "=1+1"}))
    write_tables(output, lambda row: None)
    assert "'=1+1" in [row["subject"] for row in read_csv(output / "cohort.csv")]
