import pytest
from dmcvr.core.errors import InputError
from DMCVRReconstructionLib.running.errors import WorkerError
from DMCVRReconstructionLib.running.worker import errorOfExit


@pytest.mark.parametrize(
    ("code", "outcome", "log", "kind", "words"),
    [
        (1, {"error": "Out of it.", "kind": "memory"}, "", WorkerError, "Out of it"),
        (2, {"error": "Bad.", "kind": "input"}, "", InputError, "Bad"),
        (2, {}, "dmcvr reconstruct: argument --steps: no", InputError, 'argument "Diffusion steps"'),
        (1, {}, "ModuleNotFoundError: No module named 'torch'", WorkerError, "Install"),
        (-11, {}, "", WorkerError, "unexpectedly"),
    ],
)
def test_every_end_becomes_a_sentence(code, outcome, log, kind, words):
    error = errorOfExit(code, outcome, log)
    assert isinstance(error, kind)
    assert words in str(error)
