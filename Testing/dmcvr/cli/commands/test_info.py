import json

from dmcvr import __version__
from dmcvr.output.record import LIBRARIES


def test_json_holds_versions_devices_and_the_models_card(call, model):
    answer = call("info", "--json")
    assert (answer.code, answer.err) == (0, "")
    facts = json.loads(answer.out)
    assert facts["versions"].keys() == {"dmcvr", "python", *LIBRARIES}
    assert facts["versions"]["dmcvr"] == __version__
    assert facts["devices"][0].startswith("CPU")
    assert facts["model"] == model.card


def test_in_words(call, model):
    answer = call("info")
    assert answer.code == 0
    for text in (__version__, "torch", "CPU", model.card["name"], model.card["licence"]):
        assert text in answer.out


def test_a_folder_without_a_model_is_refused(refused, tmp_path):
    assert "model.json" in refused("info", "--model", tmp_path)
