from pathlib import Path

import dmcvr
import pytest
from DMCVRReconstructionLib.running.option_titles import OPTION, withTitles
from DMCVRReconstructionLib.running.worker import errorOfExit

ROOMS = ("alignment", "baselines", "core", "reconstruction")  # what speaks during a run


def sentences():
    for room in ROOMS:
        for path in sorted((Path(dmcvr.__file__).parent / room).rglob("*.py")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if OPTION.search(line):
                    yield line.strip()


def test_no_sentence_of_a_run_names_an_option_that_the_panel_lacks():
    found = list(sentences())
    assert len(found) > 4
    for sentence in found:
        assert not OPTION.search(withTitles(sentence)), sentence


def test_options_get_the_panels_titles():
    text = withTitles("The labels are of one frame only; say which with --frame.")
    assert text == 'The labels are of one frame only; say which with "Frame".'
    assert withTitles("nothing - or -- to replace") == "nothing - or -- to replace"


@pytest.mark.parametrize("kind", ["input", None])
def test_errors_of_the_process_do_not_speak_of_the_command_line(kind):
    outcome = {"error": "No CUDA device can be used by this PyTorch; choose --device cpu or auto."}
    error = errorOfExit(2, {**outcome, "kind": kind}, "")
    assert '"Device"' in str(error)
    assert "--" not in str(error)
