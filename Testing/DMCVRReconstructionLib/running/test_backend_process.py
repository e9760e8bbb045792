"""Calls of the backend whose output is read while they run."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from DMCVRReconstructionLib.running import backend_process, phantom_sample
from DMCVRReconstructionLib.running.backend_process import BackendCall
from DMCVRReconstructionLib.running.device_query import DeviceQuery
from DMCVRReconstructionLib.running.errors import WorkerError

MODULE = Path(__file__).resolve().parents[3] / "DMCVRReconstruction"
MORE_THAN_A_PIPE_HOLDS = 300_000
# Slicer 5.12 brings none of them.
LACKING = ("torch", "skimage", "safetensors", "tqdm", "matplotlib", "nibabel", "nrrd", "jinja2")


def talkative(code: int):
    """Starts, in place of the backend, a process that fills both its pipes and ends with ``code``."""
    program = (
        f"import sys; print('o' * {MORE_THAN_A_PIPE_HOLDS}); print('e' * {MORE_THAN_A_PIPE_HOLDS}, "
        f"file=sys.stderr); print('no space left', file=sys.stderr); sys.exit({code})"
    )

    def start(arguments):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, "-c", program], **pipes)

    return start


def ended(call) -> None:
    """Wait for the end of a call."""
    end = time.monotonic() + 60
    while not call.isOver:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_call_may_print_more_than_a_pipe_holds(monkeypatch):
    monkeypatch.setattr(backend_process, "startBackend", talkative(0))
    call = BackendCall(["info"])
    call.start()
    ended(call)
    assert call.exitCode == 0
    assert len(call.output) > MORE_THAN_A_PIPE_HOLDS
    assert len(call.errors) > MORE_THAN_A_PIPE_HOLDS


def test_a_call_that_cannot_start_is_over(monkeypatch):
    def fail(arguments):
        raise OSError("not found")

    monkeypatch.setattr(backend_process, "startBackend", fail)
    query = DeviceQuery()
    query.start()
    ended(query)
    assert query.answer is None


@pytest.mark.usefixtures("application", "temporary")
def test_a_phantom_that_fails_after_many_words_says_why(monkeypatch):
    monkeypatch.setattr(backend_process, "startBackend", talkative(1))
    with pytest.raises(WorkerError, match="could not be created: no space left"):
        phantom_sample.loadPhantom()


@pytest.mark.slow
def test_the_phantom_needs_no_package_that_slicer_lacks(tmp_path):
    """The sample data is there before anything is installed."""
    program = (
        "import runpy, sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {LACKING!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        f"sys.path.insert(0, {str(MODULE)!r})\n"
        f"sys.argv = ['dmcvr', 'phantom', '--frames', '1', '--output', {str(tmp_path / 'phantom')!r}]\n"
        "runpy.run_module('dmcvr', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "phantom" / "sax.nrrd").is_file()
