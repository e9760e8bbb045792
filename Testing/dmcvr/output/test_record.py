import json
from dataclasses import replace

import numpy as np
import pytest
from dmcvr import __version__
from dmcvr.alignment.shifts import SliceShifts
from dmcvr.anatomy.function import mass_g
from dmcvr.anatomy.segments17 import SEGMENTS
from dmcvr.io.account import LeftOut
from dmcvr.io.inputs import Input
from dmcvr.output.record import LIBRARIES, input_hash, make_record
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct


@pytest.fixture(scope="module")
def beating(cine):
    options = Options(method="linear", spacing=5, frame="all")
    return reconstruct(cine.sax, None, options, labels=cine.sax_labels)


def record_of(result, model=None, **options):
    hashes = "ab" * 32, None
    unused = (LeftOut("slice", 2, "in colour", extends=True), LeftOut("file", 1, "not DICOM"))
    given = Input(result.stack, notes=("Read twice.",), left_out=unused)
    record = make_record(result, Options(**options), model, hashes, given, {"read": 1.23456})
    return record.to_json()


def test_it_says_what_came_out(beating, cine):
    record = record_of(beating, method="linear")
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["versions"].keys() == {"dmcvr", "python", *LIBRARIES}
    assert record["versions"]["dmcvr"] == __version__
    assert record["input"] == {
        "sha256": "ab" * 32,
        "labels_sha256": None,
        "frames": 3,
        "slices": 13,
        "pixels": [130, 120],
        "spacing_mm": [2.4, 2.4],
        "gaps_mm": [10.0] * 12,
        "left_out": [
            {"what": "slice", "count": 2, "reason": "in colour"},
            {"what": "file", "count": 1, "reason": "not DICOM"},
        ],
    }
    assert record["geometry"]["voxels"] == [130, 120, 25]
    assert record["register"] == {"source": "none", "shifts_mm": [[0.0, 0.0]] * 13, "largest_mm": 0.0}
    assert record["volumes"] == beating.volumes
    assert record["stack_volumes"] == beating.stack_volumes
    assert record["mass_g"] == [mass_g(item["LVM"]) for item in beating.volumes]
    assert record["seconds"] == {"read": 1.235}
    assert record["warnings"] == ["Read twice.", *beating.warnings]


def test_phases_are_found_among_the_reconstructed_frames(beating):
    record = record_of(beating, method="linear")
    lvc = record["cycle"]["lvc_ml"]
    assert (record["ed"], record["es"]) == (np.argmax(lvc), np.argmin(lvc))
    assert record["cycle"]["ef_percent"] == pytest.approx(100 * (1 - min(lvc) / max(lvc)))
    assert record["ef"] == beating.ejection_fraction
    right = record["cycle"]["rvc_ml"]
    assert (record["cycle"]["rv_edv_ml"], record["cycle"]["rv_esv_ml"]) == (
        right[record["ed"]],
        right[record["es"]],
    )
    alone = record_of(replace(beating, frames=(int(np.argmin(lvc)),)), method="linear")
    assert (alone["ed"], alone["es"]) == (None, 0)


def test_walls_are_told_by_segment_and_phase(beating):
    walls = record_of(beating, method="linear")["walls"]
    assert walls["ed"].keys() == walls["es"].keys() == set(SEGMENTS)
    assert 6 < walls["ed"]["mid inferolateral"] < 11
    assert walls["es"]["mid inferolateral"] > walls["ed"]["mid inferolateral"]
    change = walls["es"]["mid inferior"] / walls["ed"]["mid inferior"] - 1
    assert walls["thickening_percent"]["mid inferior"] == pytest.approx(100 * change, abs=0.3)
    assert walls["first"] is None
    one = replace(beating, frames=(5,), labels=beating.labels[1:2])
    walls = record_of(one, method="linear")["walls"]
    assert (walls["ed"], walls["es"], walls["thickening_percent"]) == (None, None, None)
    assert walls["first"]["mid inferolateral"] > 7
    without = record_of(replace(one, labels=np.where(one.labels == 3, 0, one.labels)), method="linear")
    assert without["walls"]["first"] is None


def test_shifts_of_slices_are_told(beating):
    mm = np.zeros((13, 2))
    mm[3] = [3.0, -4.0]
    record = record_of(replace(beating, shifts=SliceShifts(mm, None, "lax")), method="linear")
    assert record["register"]["source"] == "lax"
    assert record["register"]["shifts_mm"][3] == [3.0, -4.0]
    assert record["register"]["largest_mm"] == 5.0


def test_a_single_frame_has_no_cycle(heart):
    result = reconstruct(heart[0], None, Options(method="linear", spacing=5), labels=heart[1])
    record = record_of(result, method="linear")
    assert [record[key] for key in ("cycle", "ed", "es", "ef")] == [None] * 4


def test_the_model_and_its_settings_are_named(beating, model):
    record = record_of(
        beating,
        model,
        seed=7,
        keep_acquired=False,
        label_rule="fused",
        steps=5,
    )
    assert record["model"] == {
        "name": model.card["name"],
        "licence": model.card["licence"],
        "sha256": model.sha256,
    }
    assert record["device"].startswith("CPU")
    settings = ("precision", "steps", "rule", "label_rule", "seed", "keeps_acquired")
    assert [record[key] for key in settings] == ["float32", [5, 5], "aligned", "fused", 7, False]
    assert record_of(beating, model, method="diffae")["rule"] == "paper"


def test_a_baseline_has_the_same_keys_without_values(beating, model):
    record = record_of(beating, method="linear")
    assert record.keys() == record_of(beating, model).keys()
    keys = ("model", "device", "precision", "steps", "rule", "label_rule")
    assert [record[key] for key in keys] == [None] * len(keys)


def test_uncertainty_is_told_by_slice_within_the_heart(beating):
    record = record_of(beating)
    assert (record["samples"], record["uncertainty"]) == (None, None)
    spread = np.where(beating.labels > 0, np.float32(3), np.float32(100))
    told = record_of(replace(beating, uncertainty=spread), method="dmcvr", samples=4)
    assert told["samples"] == 4
    assert len(told["uncertainty"]) == len(beating.labels)
    for frame, labels in zip(told["uncertainty"], beating.labels, strict=True):
        assert frame == [3 if item.any() else None for item in labels]


def test_given_labels_are_told(beating, model):
    record = make_record(beating, Options(label_rule="image"), model, ("ab", "cd"), Input(beating.stack), {})
    assert (record.input.labels_sha256, record.label_rule) == ("cd", "code")


def test_the_hash_depends_on_contents_and_not_on_names(tmp_path):
    for folder, names in (("one", ("a", "b")), ("two", ("Doe", "x/Jane"))):
        for name, text in zip(names, ("first", "second"), strict=True):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    assert input_hash(tmp_path / "one") == input_hash(tmp_path / "two")
    before = input_hash(tmp_path / "two")
    (tmp_path / "two" / "Doe").write_text("third")
    assert input_hash(tmp_path / "two") != before
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "link").symlink_to(tmp_path / "two")
    (tmp_path / "three" / "loop").symlink_to(tmp_path / "three")
    assert input_hash(tmp_path / "three") == input_hash(tmp_path / "two")
    # sha256 of "first"
    expected = "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"
    assert input_hash(tmp_path / "one" / "a") == expected
