"""measurements.csv holds what result.json holds."""

import csv
import json

import dmcvr
import pytest
from dmcvr.anatomy.segments17 import SEGMENTS
from dmcvr.io.inputs import Input
from dmcvr.output.measurements import write_measurements
from dmcvr.output.record import make_record
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct


@pytest.fixture(scope="module")
def record(cine):
    options = Options(method="linear", spacing=5, frame="all")
    result = reconstruct(cine.sax, None, options, labels=cine.sax_labels)
    return make_record(result, options, None, ("ab", None), Input(cine.sax), {})


@pytest.fixture(scope="module")
def rows(record, tmp_path_factory):
    path = tmp_path_factory.mktemp("measurements") / "measurements.csv"
    write_measurements(path, record)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def values(rows, name, source):
    found = (row for row in rows if row["measurement"] == name and row["source"] == source)
    return {row["phase"]: float(row["value"]) for row in found}


def test_walls_are_listed_by_segment_and_phase(rows, record):
    for name in SEGMENTS:
        thickness = values(rows, f"Wall thickness, {name}", "reconstruction")
        assert thickness == {"ed": record.walls.ed[name], "es": record.walls.es[name]}
        thickening = values(rows, f"Wall thickening, {name}", "reconstruction")
        assert thickening == {"": record.walls.thickening_percent[name]}
    (frame,) = {
        row["frame"] for row in rows if row["phase"] == "es" and row["measurement"].startswith("Wall")
    }
    assert int(frame) == record.cycle.es_frame


def test_both_ventricles_have_function_by_disc_summation(rows, record):
    cycle = record.cycle
    for side, edv, esv in (
        ("LV", cycle.edv_ml, cycle.esv_ml),
        ("RV", cycle.rv_edv_ml, cycle.rv_esv_ml),
    ):
        stroke = values(rows, f"{side} stroke volume", "acquired slices")[""]
        assert stroke == pytest.approx(edv - esv, abs=1e-3)
        ef = values(rows, f"{side} ejection fraction", "acquired slices")[""]
        assert ef == pytest.approx(100 * (1 - esv / edv), abs=1e-3)


@pytest.fixture(scope="module")
def saved(cine, tmp_path_factory):
    """The folder of a cine's result."""
    folder = tmp_path_factory.mktemp("cine") / "out"
    stack = cine.sax.select(slices=slice(4, 9))
    labels = cine.sax_labels[:, 4:9]
    dmcvr.reconstruct(stack, labels=labels, frame="all", method="linear", spacing=5).save(folder)
    return folder


def test_every_number_stands_in_a_row_with_its_unit(saved):
    with (saved / "measurements.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["measurement", "source", "frame", "phase", "value", "unit"]
    keys = [(row["measurement"], row["source"], row["frame"]) for row in rows]
    assert len(set(keys)) == len(keys)
    values = {key: float(row["value"]) for key, row in zip(keys, rows, strict=True)}
    record = json.loads((saved / "result.json").read_text())
    for frame, volumes in zip(record["frames"], record["volumes"], strict=True):
        for name, volume in volumes.items():
            assert values[f"{name} volume", "reconstruction", str(frame)] == pytest.approx(volume, abs=1e-3)
    for frame, volumes in zip(record["frames"], record["stack_volumes"], strict=True):
        assert values["LVC volume", "acquired slices", str(frame)] == pytest.approx(volumes["LVC"], abs=1e-3)
    assert values["LV mass", "reconstruction", "0"] == pytest.approx(record["mass_g"][0], abs=1e-3)
    ed, es = (record["volumes"][record[phase]]["LVC"] for phase in ("ed", "es"))
    assert values["LV stroke volume", "reconstruction", ""] == pytest.approx(ed - es, abs=2e-3)
    of_beat = values["LV ejection fraction", "acquired slices", ""]
    assert of_beat == pytest.approx(record["cycle"]["ef_percent"], abs=1e-3)
    phases = {(row["frame"], row["phase"]) for row in rows if row["phase"]}
    assert phases == {(str(record["frames"][record[phase]]), phase) for phase in ("ed", "es")}
    assert {row["unit"] for row in rows} == {"ml", "g", "%", "mm"}
