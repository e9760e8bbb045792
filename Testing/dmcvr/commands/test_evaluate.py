import json
from functools import partial

import pytest
from dmcvr.evaluation.cases import DataFolder
from dmcvr.evaluation.methods import Comparison
from dmcvr.evaluation.summary import as_dict, markdown
from dmcvr.evaluation.withheld import withheld_tables
from dmcvr.phantom import random_config
from dmcvr.shapemodel import hearts


@pytest.fixture(scope="module")
def data(tmp_path_factory, write_stack, heart, phantom):
    """Two cases: four slices of the phantom, and the same half as bright."""
    folder = tmp_path_factory.mktemp("data")
    stack, labels = heart
    for name, image in (("p01_ED", stack.frames), ("p01_ES", stack.frames * 0.5)):
        write_stack(folder / f"{name}.nrrd", stack, image)
        write_stack(folder / f"{name}_gt.nrrd", stack, labels)
    return folder


def test_json_is_one_object_and_equals_what_the_function_gives(call, data):
    answer = call("evaluate", "withheld", "--data", data, "--methods", "shape,linear", "--json")
    assert (answer.code, answer.err) == (0, "")
    record = json.loads(answer.out)
    (expected,) = withheld_tables(DataFolder(data), None, Comparison(("shape", "linear")))
    assert record["tables"] == json.loads(json.dumps([as_dict(expected)]))
    assert (record["cases"], record["model"]) == (2, None)
    assert record["command"].startswith(f"dmcvr evaluate withheld --data {data.name} --label-values 1,2,3 ")
    assert str(data.parent) not in answer.out


def test_files_hold_what_is_printed(call, data, tmp_path, model):
    output = tmp_path / "tables"
    arguments = ("evaluate", "segmentation", "--data", data, "--cases", "ED", "--precision", "float32")
    answer = call(*arguments, "--output", output)
    assert (answer.code, answer.err) == (0, "")
    assert (output / "segmentation.md").read_text() == answer.out
    record = json.loads((output / "segmentation.json").read_text())
    assert record["model"]["sha256"] == model.sha256
    assert record["cases"] == 1
    assert sorted(path.name for path in output.iterdir()) == ["segmentation.json", "segmentation.md"]
    assert f"`{record['command']}`" in answer.out
    assert model.sha256 in answer.out
    assert f"counted and not skipped: {record['empty_masks']}" in answer.out


def test_generation(call, data):
    answer = call(
        "evaluate",
        "generation",
        "--data",
        data,
        "--cases",
        "ED",
        "--methods",
        "diffae",
        "--steps",
        1,
        "--json",
    )
    assert (answer.code, answer.err) == (0, "")
    (table,) = json.loads(answer.out)["tables"]
    assert {row["images"] for row in table["rows"]} == {"diffae"}


def test_long_axis_prints_a_table(call):
    answer = call("evaluate", "long-axis", "--phantoms", 1, "--methods", "nearest")
    assert (answer.code, answer.err) == (0, "")
    assert "Command: `dmcvr evaluate long-axis --phantoms 1 --methods nearest " in answer.out
    assert "| all | nearest | 0.9" in answer.out
    assert "Cases: 1" in answer.out


def test_long_axis_on_hearts_of_a_shape_model(call, refused, shape_model_folder, monkeypatch, tmp_path):
    coarse = partial(random_config, pixel_mm=4.0, matrix=(60, 70), lax_matrix=(50, 50), shift_sd_mm=0.0)
    monkeypatch.setattr(hearts, "random_config", coarse)
    arguments = ("evaluate", "long-axis", "--hearts", shape_model_folder, "--heart-count", 1)
    answer = call(*arguments, "--methods", "nearest,shape", "--json")
    assert (answer.code, answer.err) == (0, "")
    record = json.loads(answer.out)
    assert record["command"].startswith(
        f"dmcvr evaluate long-axis --hearts {shape_model_folder.name} --heart-count 1 --methods"
    )
    assert "phantoms" not in record["command"]
    (table,) = record["tables"]
    assert {row["case"] for row in table["rows"]} == {"subject01"}
    dice = {
        (line["structure"], line["method"]): line["scores"]["average"]["mean"] for line in table["summary"]
    }
    assert dice["all", "shape"] > 0.85
    assert "lacks shape_model.npz" in refused("evaluate", "long-axis", "--hearts", tmp_path)
    output = shape_model_folder / "tables"
    assert "among it" in refused(*arguments, "--methods", "nearest", "--output", output)


def test_markdown_is_that_of_the_table(call, data):
    answer = call("evaluate", "withheld", "--data", data, "--methods", "nearest")
    (expected,) = withheld_tables(DataFolder(data), None, Comparison(("nearest",)))
    assert answer.out.endswith(markdown(expected))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cases", "nobody"), "No case"),
        (("--cases", "("), "regular expression"),
        (("--methods", "magic"), "choose among"),
        (("--methods", ""), "choose among"),
        (("--label-values", "3,2,1"), "swapped"),
        (("--steps", "0"), "whole number"),
    ],
)
def test_bad_options_are_refused(refused, data, tmp_path, options, message):
    given = () if "--methods" in options else ("--methods", "nearest")
    sentence = refused(
        "evaluate", "withheld", "--data", data, "--output", tmp_path / "new" / "x", *given, *options
    )
    assert message in sentence


def test_an_output_among_the_data_is_refused(refused, data):
    assert "among it" in refused("evaluate", "segmentation", "--data", data, "--output", data / "tables")


def test_a_folder_without_pairs_is_refused(refused, tmp_path):
    assert "no pairs" in refused("evaluate", "segmentation", "--data", tmp_path)
