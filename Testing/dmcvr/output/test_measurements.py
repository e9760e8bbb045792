"""measurements.csv holds what result.json holds."""

import csv
import json

import dmcvr
import pytest


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
    assert {row["unit"] for row in rows} == {"ml", "g", "%"}
