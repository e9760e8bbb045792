import csv

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


def known(held):
    return {phase: value for phase, value in held.items() if value is not None}


def test_walls_are_listed_by_segment_and_phase(rows, record):
    walls = record.walls
    assert sum(value is not None for value in walls.thickening_percent.values()) >= 16
    for name in SEGMENTS:
        thickness = values(rows, f"Wall thickness, {name}", "reconstruction")
        assert thickness == known({"ed": walls.ed[name], "es": walls.es[name]})
        thickening = values(rows, f"Wall thickening, {name}", "reconstruction")
        assert thickening == known({"": walls.thickening_percent[name]})
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
