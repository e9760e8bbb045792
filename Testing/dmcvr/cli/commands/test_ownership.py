"""Every command leaves files alone that are not its own."""

import pytest

pytestmark = pytest.mark.slow

SHAPE = ("--method", "shape", "--spacing", "5", "--frame", "0")


@pytest.mark.parametrize("name", ["volume.nrrd", "result.json", "report.html", "segmentation_003.seg.nrrd"])
def test_reconstruct(call, files, tmp_path, name):
    out = tmp_path / "out"
    arguments = ("reconstruct", files["sax"], *SHAPE, "--labels", files["labels"], "--output", out)
    assert call(*arguments).code == 0
    assert call(*arguments).code == 0
    (out / name).write_bytes(b"theirs")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    answer = call(*arguments)
    assert answer.code == 2
    assert name in answer.err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_phantom(call, tmp_path):
    arguments = ("phantom", "--frames", "1", "--output", tmp_path / "out")
    assert call(*arguments).code == 0
    assert call(*arguments).code == 0
    (tmp_path / "out" / "lax_2ch.nrrd").write_bytes(b"theirs")
    assert call(*arguments).code == 2
    assert (tmp_path / "out" / "lax_2ch.nrrd").read_bytes() == b"theirs"


@pytest.mark.parametrize("name", ["cohort.csv", "cohort.html", "cases"])
def test_cohort(refused, files, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_bytes(b"theirs")
    assert name in refused("cohort", files["sax"].parent, *SHAPE, "--output", tmp_path / "out")


@pytest.mark.parametrize("name", ["segmenter.safetensors", "log.jsonl", "checkpoint.safetensors"])
def test_train(refused, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_bytes(b"theirs")
    arguments = ("train", "segmenter", "--prepared", tmp_path / "none", "--output", tmp_path / "out")
    refused(*arguments)
    assert (tmp_path / "out" / name).read_bytes() == b"theirs"
