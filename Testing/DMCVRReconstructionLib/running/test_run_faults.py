"""Runs from Slicer that meet a fault: the scene and the earlier result stay, temporary files go."""

import os
import signal
import subprocess
import sys
import tempfile

import numpy as np
import pytest
import slicer
from dmcvr.core.errors import CancelledError
from dmcvr.core.stack import stack_grid
from dmcvr.reconstruction.options import Options
from DMCVRReconstructionLib.running.errors import WorkerError
from DMCVRReconstructionLib.running.reconstruction_run import RunRequest
from DMCVRReconstructionLib.running.run import Run
from DMCVRReconstructionLib.scene.result_nodes import resultOf
from DMCVRReconstructionLib.scene.segmentation_nodes import labelsOfSegmentation
from sabotage import sabotaged

pytestmark = pytest.mark.usefixtures("temporary")
SHAPE = Options(frame=0, method="shape", spacing=5.0)


@pytest.fixture
def happens(monkeypatch):
    """Makes something happen to every process that is started from now on."""

    def plan(**what):
        for name in ("PYTHONPATH", "SABOTAGE"):
            monkeypatch.setenv(name, sabotaged(**what)[name])

    return plan


@pytest.fixture
def earlier(application, imported, still, addVolume, phantom):
    """An earlier result, and a run that would replace it."""
    nodes = imported(still)
    grid = stack_grid(phantom.sax)
    stack = addVolume("sax", phantom.sax.frames[0], grid)
    labels = addVolume("drawn", phantom.sax_labels[0], grid, "vtkMRMLLabelMapVolumeNode")
    return nodes, Run(RunRequest(stack, SHAPE, labelsNode=labels, replaceVolume=nodes.volume))


def stateOf(scene) -> dict[str, dict[str, str]]:
    """Name and attributes of every node in the scene, by ID."""
    nodes = [scene.GetNthNode(k) for k in range(scene.GetNumberOfNodes())]
    return {
        node.GetID(): {name: node.GetAttribute(name) for name in node.GetAttributeNames()}
        | {"name": node.GetName()}
        for node in nodes
    }


def assertIntact(nodes, still, before, scene):
    assert stateOf(scene) == before
    assert resultOf(nodes.volume) == nodes
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(nodes.volume), still.volume[0])
    np.testing.assert_array_equal(labelsOfSegmentation(nodes.segmentation, nodes.volume), still.labels[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kill": ("open", "job.json")}, "memory ran out"),
        ({"kill": ("open", "report.html")}, "memory ran out"),
        ({"kill": ("os.rename", "result")}, "memory ran out"),
        ({"grow": 4096}, "disk for temporary files is full"),
    ],
    ids=["killed loading", "killed writing", "killed finishing", "disk full"],
)
def test_a_run_that_fails_leaves_scene_and_earlier_result(application, earlier, still, happens, fault, words):
    nodes, run = earlier
    before = stateOf(application.scene)
    happens(**fault)
    run.start()
    with pytest.raises(WorkerError, match=words):
        run.wait()
    assertIntact(nodes, still, before, application.scene)


def test_no_room_for_temporary_files_ends_the_run_in_a_sentence(
    application, earlier, still, tmp_path, monkeypatch
):
    """Rather than leave it waiting for a process that was never started."""
    nodes, run = earlier
    before = stateOf(application.scene)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    run.start()
    with pytest.raises(WorkerError, match="TMPDIR"):
        run.wait()
    assertIntact(nodes, still, before, application.scene)


def test_what_a_killed_slicer_left_goes_with_the_next_run(temporary, earlier):
    """Here both it and its process were killed; a job whose Slicer alone dies removes its folder itself."""
    code = (
        "import sys, time; from dmcvr.system.privatefolder import private_folder\n"
        "with private_folder(sys.argv[1], 'dmcvr-') as folder:\n"
        "    (folder / 'sax.nrrd').write_text('private'); print(flush=True); time.sleep(600)"
    )
    slain = subprocess.Popen([sys.executable, "-c", code, str(temporary)], stdout=subprocess.PIPE)
    slain.stdout.readline()
    slain.send_signal(signal.SIGKILL)
    slain.wait()
    slain.stdout.close()
    (left,) = temporary.iterdir()
    assert os.stat(left).st_mode & 0o777 == 0o700
    _nodes, run = earlier
    run.start()
    run.cancel()
    with pytest.raises(CancelledError):
        run.wait()
    assert not left.exists()
