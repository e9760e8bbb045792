import json

import pytest
from dmcvr.cli import main
from dmcvr.model.bundle import DEFAULT_BUNDLE
from safetensors.torch import load_file

SHORT = ("--phantoms", 2, "--steps", 2, "--batch", 1)
SIZE = ("--size", 32)
PARTS = ("segmenter", "generator", "shifts", "shape")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The networks, trained for two steps."""
    folder = tmp_path_factory.mktemp("train")
    for part in PARTS:
        size = SIZE if part in ("segmenter", "generator") else ()
        assert main(["train", part, "--output", *map(str, (folder / part, *SHORT, *size))]) == 0
    return folder


@pytest.fixture
def about(tmp_path):
    path = tmp_path / "about.json"
    path.write_text(json.dumps({"name": "two steps", "licence": "Apache-2.0"}))
    return path


@pytest.mark.slow
def test_training_leaves_weights_and_a_log_and_goes_on_from_there(call, folder):
    for part in PARTS:
        assert (folder / part / "log.jsonl").is_file()
    answer = call("train", "segmenter", "--output", folder / "segmenter", *SHORT, *SIZE)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert json.loads(lines[0]) == {"resumed_at": 2}
    assert lines[-1] == f"Weights: {folder / 'segmenter' / 'segmenter.safetensors'}"


@pytest.mark.slow
@pytest.mark.parametrize("part", ["shifts", "shape"])
def test_networks_for_whole_hearts_train_on_simulated_ones(folder, part):
    assert (folder / part / "hearts" / "train" / "phantom0001.npy").is_file()
    assert load_file(folder / part / f"{part}.safetensors")["head.weight"].abs().max() > 0


@pytest.mark.slow
def test_trained_weights_make_a_model_that_reconstructs(call, folder, about, files, tmp_path):
    made = tmp_path / "model"
    trained = [item for part in PARTS for item in (f"--{part}", folder / part / f"{part}.safetensors")]
    answer = call("train", "bundle", *trained, "--about", about, "--output", made)
    assert (answer.code, answer.out) == (0, f"Model folder: {made}\n")
    answer = call(
        "reconstruct", files["sax"], "--labels", files["labels"], "--output", tmp_path / "out",
        "--model", made, "--spacing", 5, "--steps", 1, "--json",
    )  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    model = json.loads(answer.out.splitlines()[-1])["result"]["model"]
    assert (model["name"], model["licence"]) == ("two steps", "Apache-2.0")


def bundle(*arguments, **other):
    """The shipped weights, those of ``other`` parts in place of a part's own."""
    weights = {part: DEFAULT_BUNDLE / f"{other.get(part, part)}.safetensors" for part in PARTS}
    given = [item for part, path in weights.items() for item in (f"--{part}", path)]
    return "train", "bundle", *given, *arguments


@pytest.mark.parametrize("wrong", [{"segmenter": "generator"}, {"generator": "missing"}])
def test_weights_that_do_not_fit_make_no_model(refused, about, tmp_path, wrong):
    message = refused(*bundle("--about", about, "--output", tmp_path / "a" / "model", **wrong))
    assert "weights" in message


@pytest.mark.parametrize("text", [None, "{", "[1]", '{"name": "x"}'])
def test_a_model_needs_a_name_and_a_licence(refused, tmp_path, text):
    path = tmp_path / "about.json"
    if text is not None:
        path.write_text(text)
    assert "--about" in refused(*bundle("--about", path, "--output", tmp_path / "model"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--data", "nowhere"), "does not exist"),
        ((), "No labelled stack"),
        (("--phantoms", 1, "--init", "nowhere.safetensors"), "--init"),
        (("--phantoms", 1, "--hold-out", "("), "--hold-out"),
    ],
)
def test_training_without_what_it_needs_is_refused(refused, tmp_path, arguments, words):
    assert words in refused("train", "segmenter", "--output", tmp_path / "a" / "run", *arguments)


def test_training_into_a_file_is_refused(refused, tmp_path):
    (tmp_path / "file").write_text("")
    assert "output folder" in refused("train", "segmenter", "--output", tmp_path / "file", *SHORT)
