"""The method whose model is not shipped, through every command that takes it."""

import json

import numpy as np
import pytest
from dmcvr.model.bundle import DEFAULT_BUNDLE
from dmcvr.model.deeprecon_model import DeepReconModel
from tinydeeprecon import untrained_deeprecon

QUICK = ("--optimisation-steps", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return untrained_deeprecon(tmp_path_factory.mktemp("deeprecon"))


@pytest.fixture(scope="module")
def data(tmp_path_factory, write_stack, heart):
    """One case of four slices."""
    folder = tmp_path_factory.mktemp("data")
    write_stack(folder / "p01_ED.nrrd", heart[0])
    write_stack(folder / "p01_ED_gt.nrrd", *heart)
    return folder


def test_without_its_model_every_command_says_so(refused, files, data, tmp_path):
    stack = ("reconstruct", files["sax"], "--labels", files["labels"], "--output", tmp_path / "out")
    assert "give its folder with --model." in refused(*stack, "--method", "deeprecon")
    cohort = ("cohort", data, "--output", tmp_path / "out", "--method", "deeprecon")
    assert "give its folder with --model." in refused(*cohort)
    table = ("evaluate", "withheld", "--data", data, "--methods", "shape,deeprecon")
    assert "give its folder with --deeprecon-model." in refused(*table)


def test_another_kind_of_model_is_refused(refused, files, folder, tmp_path):
    stack = ("reconstruct", files["sax"], "--labels", files["labels"], "--output", tmp_path / "out")
    assert "no DeepRecon model" in refused(*stack, "--method", "deeprecon", "--model", DEFAULT_BUNDLE)
    assert "holds a DeepRecon model" in refused(*stack, "--method", "dmcvr", "--model", folder)


@pytest.mark.slow
def test_a_stack_is_reconstructed_and_the_record_names_the_model(call, files, folder, tmp_path):
    answer = call(
        "reconstruct", files["sax"], "--labels", files["labels"], "--output", tmp_path / "out",
        "--method", "deeprecon", "--model", folder, "--spacing", 5, *QUICK, "--json",
    )  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    record = json.loads(answer.out.splitlines()[-1])["result"]
    assert record["model"] == {
        "name": "tiny deeprecon",
        "licence": "CC0",
        "sha256": DeepReconModel.load(folder, "cpu").sha256,
    }
    assert (record["method"], record["steps"], record["rule"], record["keeps_acquired"]) == (
        "deeprecon", [1], None, True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "more", "key"),
    [
        ("generation", ("--methods", "original,deeprecon"), "images"),
        ("withheld", ("--methods", "linear,deeprecon"), "method"),
        ("withheld", ("--methods", "deeprecon", "--predicted-labels"), "method"),
    ],
)
def test_tables_of_real_stacks_have_its_rows(call, data, folder, table, more, key):
    arguments = ("evaluate", table, "--data", data, "--deeprecon-model", folder, *QUICK, *more)
    answer = call(*arguments, "--json")
    assert (answer.code, answer.err) == (0, "")
    record = json.loads(answer.out)
    (made,) = record["tables"]
    scores = [row["scores"] for row in made["rows"] if row[key] == "deeprecon"]
    # An untrained generator makes no heart, but an image of every slice.
    assert any(np.isfinite(row.get("PSNR dB", np.nan)) for row in scores)
    assert f"--deeprecon-model {folder.name} --optimisation-steps 1" in record["command"]


@pytest.mark.slow
def test_long_axis_views_have_its_rows(call, folder):
    arguments = ("evaluate", "long-axis", "--phantoms", 1, "--methods", "nearest,deeprecon", *QUICK)
    answer = call(*arguments, "--deeprecon-model", folder, "--json")
    assert (answer.code, answer.err) == (0, "")
    (table,) = json.loads(answer.out)["tables"]
    assert {row["method"] for row in table["rows"]} == {"nearest", "deeprecon"}


@pytest.mark.slow
def test_training_makes_a_model_that_reconstructs(call, files, tmp_path):
    about = tmp_path / "about.json"
    about.write_text(json.dumps({"name": "two steps", "licence": "Apache-2.0"}))
    run = ("--phantoms", 1, "--steps", 2, "--batch", 1, "--about", about, "--output", tmp_path / "run")
    answer = call("train", "deeprecon", *run)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == f"Model folder: {tmp_path / 'run' / 'model'}"
    answer = call(
        "reconstruct", files["sax"], "--labels", files["labels"], "--output", tmp_path / "out",
        "--method", "deeprecon", "--model", tmp_path / "run" / "model", "--spacing", 5, *QUICK, "--json",
    )  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out.splitlines()[-1])["result"]["model"]["name"] == "two steps"
