import json
import math
from dataclasses import replace

import numpy as np
import pytest
from dmcvr.cli.commands.demo import compare
from dmcvr.core.labels import NAMES
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct


@pytest.mark.slow
def test_it_reconstructs_the_phantom_and_scores_it(call, tmp_path):
    output = tmp_path / "demo"
    answer = call("demo", "--output", output, "--spacing", 5, "--steps", 1, "--json")
    assert (answer.code, answer.err) == (0, "")
    last = json.loads(answer.out.splitlines()[-1])
    assert last.keys() == {"output", "result", "scores"}
    assert last["scores"] == json.loads((output / "scores.json").read_text())
    # .950, .895 and .914; .955, .896 and .921 by the command's own spacing and steps.
    for name, least in {"LVC": 0.945, "LVM": 0.89, "RVC": 0.909}.items():
        assert last["scores"][name]["dice"] > least
    for name in ("sax.nrrd", "volume.nrrd", "segmentation.seg.nrrd", "report.html", "scene.mrml"):
        assert (output / name).is_file()
    assert str(tmp_path) not in (output / "scene.mrml").read_text()


@pytest.fixture(scope="module")
def result(heart):
    return reconstruct(heart[0], None, Options(method="shape", spacing=5), labels=heart[1])


def test_against_itself_a_result_is_perfect(result):
    for label, name in NAMES.items():
        score = compare(result, result.labels[0])[name]
        volume = (result.labels[0] == label).sum() * result.grid.voxel_ml
        assert score == {"dice": 1.0, "assd_mm": 0.0, "ml": volume, "truth_ml": volume}


def test_what_was_not_found_scores_nothing_and_stays_json(result):
    none = replace(result, labels=np.zeros_like(result.labels))
    score = compare(none, result.labels[0])["LVC"]
    assert (score["dice"], score["assd_mm"], score["ml"]) == (0.0, None, 0.0)
    assert not any(isinstance(value, float) and math.isnan(value) for value in score.values())
