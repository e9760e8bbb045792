"""The one set of options: its checks, and JSON both ways."""

import json
import subprocess
import sys

import pytest
from dmcvr.baselines import BASELINES
from dmcvr.core.errors import InputError
from dmcvr.reconstruction.options import (
    ALL_METHODS,
    GENERATIVE,
    METHODS,
    RULE_CALLS,
    ModelChoice,
    Options,
    check_deeprecon,
)


def test_every_method_is_there_once():
    assert sorted(METHODS) == sorted([*GENERATIVE, *BASELINES])


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(method="nearest", frame=7, keep_acquired=False),
        Options(method="diffae", spacing=2.0, frame="all", steps=12, samples=3, seed=5),
        Options(rule="paper", stop_log_snr=-1.0, order=1, label_rule="fused"),
    ],
)
def test_options_come_back_from_json(options):
    assert Options.from_json(json.loads(json.dumps(options.to_json()))) == options


def test_the_method_whose_model_is_not_shipped_has_to_be_given_one():
    assert (*METHODS, "deeprecon") == ALL_METHODS
    options = Options(method="deeprecon", optimisation_steps=0)
    assert (options.needs_model, options.generates) == (True, False)
    check_deeprecon(["shape", "dmcvr"], None)
    check_deeprecon(["deeprecon"], "folder")
    with pytest.raises(InputError, match="with --deeprecon-model"):
        check_deeprecon(["shape", "deeprecon"], None, "--deeprecon-model")
    with pytest.raises(InputError, match="optimisation steps"):
        Options(optimisation_steps=-1)


def test_what_json_does_not_say_takes_its_default():
    assert Options.from_json({"method": "linear"}) == Options(method="linear")
    assert ModelChoice.from_json({}) == ModelChoice()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sharpen": 1}, "no option 'sharpen'"),
        ({"steps": "4"}, "'steps' cannot be '4'"),
        ({"steps": True}, "'steps' cannot be True"),
        ({"keep_acquired": 1}, "'keep_acquired' cannot be 1"),
        ({"frame": 1.5}, "'frame' cannot be 1.5"),
        ({"method": None}, "'method' cannot be None"),
        ({"seed": []}, "'seed' cannot be"),
        ({"method": "spline"}, "no method 'spline'"),
    ],
)
def test_json_that_makes_no_sense_is_refused(values, words):
    with pytest.raises(InputError, match=words):
        Options.from_json(values)


@pytest.mark.parametrize(
    ("values", "word"), [({"device": "tpu"}, "device"), ({"precision": "half"}, "precision")]
)
def test_a_machine_there_is_not_is_refused(values, word):
    with pytest.raises(InputError, match=f"no {word}"):
        ModelChoice.from_json(values)


def test_diffae_has_no_morphology_code_and_always_the_papers_rule():
    options = Options(method="diffae", rule="aligned")
    assert (options.morphology, options.rule_in_force) == (False, "paper")
    assert options.calls == RULE_CALLS["paper"]
    assert Options().calls == RULE_CALLS["aligned"]
    assert Options(steps=9).calls == (9, 9)


@pytest.mark.parametrize(("method", "samples"), [("dmcvr", 1), ("linear", 3)])
def test_uncertainty_needs_several_samples_of_a_method_that_generates(method, samples):
    with pytest.raises(InputError, match="at least 2 samples"):
        Options(method=method, samples=samples)


def test_options_need_no_torch():
    program = "import dmcvr.reconstruction.options, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "spline"}, "no method"),
        ({"label_rule": "best"}, "no label rule"),
        ({"frame": "systole"}, "no frame"),
        ({"steps": 0}, "steps"),
        ({"order": 3}, "order"),
        ({"rule": "shortest"}, "no rule"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        Options(**options)
