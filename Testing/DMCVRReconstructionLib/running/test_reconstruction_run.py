"""From a node to the nodes of its result, through the real process."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import slicer
from dmcvr.core.errors import CancelledError, InputError
from dmcvr.core.stack import stack_grid
from dmcvr.reconstruction.options import Options
from DMCVRReconstructionLib.running.errors import WorkerError
from DMCVRReconstructionLib.running.reconstruction_run import RunRequest
from DMCVRReconstructionLib.running.run import Run
from DMCVRReconstructionLib.running.segmentation_run import SegmentRequest
from DMCVRReconstructionLib.scene.result_nodes import resultOf
from DMCVRReconstructionLib.scene.segmentation_nodes import labelsOfSegmentation

pytestmark = pytest.mark.usefixtures("temporary")
SHAPE = Options(frame=1, method="shape", spacing=5.0)
DMCVR = Options(frame="all", spacing=5.0)


@pytest.fixture
def scene(application, addCine, addVolume, phantom):
    """A phantom's cine, shown at its second frame, and the labels of that frame."""
    grid = stack_grid(phantom.sax)
    _, browser, shown = addCine("SAX", phantom.sax.frames.round(), grid, phantom.sax.times)
    browser.SetSelectedItemNumber(1)
    labels = addVolume("drawn", phantom.sax_labels[1], grid, "vtkMRMLLabelMapVolumeNode")
    return shown, labels


def living(group: int) -> list[int]:
    """The processes of a process group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, own = path.read_text().rsplit(")", 1)[1].split()[:3]
            if int(own) == group and state != "Z":
                found.append(int(path.parent.name))
    return found


def nodeNames(scene) -> list[str]:
    return sorted(scene.GetNthNode(k).GetID() for k in range(scene.GetNumberOfNodes()))


def until(run, condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        if run.poll():
            return
        time.sleep(0.01)


@pytest.mark.slow
def test_a_single_frame_is_reconstructed(scene, phantom):
    run = Run(RunRequest(scene[0], SHAPE, labelsNode=scene[1]))
    run.start()
    nodes = run.wait()
    record = nodes.record
    assert record["frames"] == [1]
    voxels = slicer.util.arrayFromVolume(nodes.volume)
    assert voxels.dtype == np.int16
    acquired = [z for z, index in enumerate(record["geometry"]["acquired"]) if index is not None]
    np.testing.assert_array_equal(voxels[acquired], phantom.sax.frames[1].round())
    labels = labelsOfSegmentation(nodes.segmentation, nodes.volume)
    np.testing.assert_array_equal(labels[acquired], phantom.sax_labels[1])
    assert resultOf(nodes.volume) == nodes


@pytest.mark.slow
def test_a_transformed_stack_gives_a_result_that_moves_along(application, scene):
    import vtk

    parent = application.scene.AddNewNodeByClass("vtkMRMLTransformNode", "moved")
    transform = vtk.vtkTransform()
    transform.RotateWXYZ(30, 0, 1, 1)
    parent.SetAndObserveTransformToParent(transform)
    for node in scene:
        node.SetAndObserveTransformNodeID(parent.GetID())
    run = Run(RunRequest(scene[0], SHAPE, labelsNode=scene[1]))
    run.start()
    nodes = run.wait()
    assert nodes.volume.GetParentTransformNode() is parent
    ours, theirs = np.zeros(6), np.zeros(6)
    nodes.volume.GetRASBounds(ours)
    scene[0].GetRASBounds(theirs)
    # The stack's bounds reach half a gap further out than the first and last slice.
    assert np.abs(ours - theirs).max() < 2.5


@pytest.mark.slow
def test_bad_input_raises_a_sentence(scene):
    with pytest.raises(InputError, match="spacing of 400 mm"):
        Run(RunRequest(scene[0], Options(frame=1, method="shape", spacing=400.0)))
    with pytest.raises(InputError, match="single frame"):
        Run(RunRequest(scene[0], Options(frame="all", method="shape"), labelsNode=scene[1]))
    # What only the backend can tell.
    drawn = slicer.util.arrayFromVolume(scene[1])
    drawn[:] = np.array([0, 3, 2, 1], np.uint8)[drawn]
    run = Run(RunRequest(scene[0], SHAPE, labelsNode=scene[1]))
    run.start()
    with pytest.raises(InputError, match="swapped"):
        run.wait()


@pytest.mark.slow
@pytest.mark.parametrize("request_", [RunRequest, SegmentRequest])
def test_an_image_that_shows_nothing_is_refused_by_the_backend(addVolume, phantom, request_):
    blank = addVolume("blank", np.zeros(phantom.sax.frames.shape[1:], np.float32), stack_grid(phantom.sax))
    run = Run(request_(blank, Options(frame=0, method="shape", spacing=5.0)))
    run.start()
    with pytest.raises(InputError, match="same value"):
        run.wait()


@pytest.mark.slow
def test_cancelling_ends_the_process_tree_and_leaves_the_scene(application, scene, tmp_path, monkeypatch):
    """With a PythonSlicer that is a mere launcher, as Slicer's is."""
    launcher = tmp_path / "PythonSlicer"
    launcher.write_text(f'#!/bin/sh\n"{sys.executable}" "$@" &\nwait\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    before = nodeNames(application.scene)
    run = Run(RunRequest(scene[0], DMCVR))
    run.start()
    until(run, lambda: run.stage != "load")
    group = run.processID
    assert len(living(group)) == 2
    run.cancel()
    with pytest.raises(CancelledError):
        run.wait()
    assert living(group) == []
    assert nodeNames(application.scene) == before


def test_cancelling_at_once_is_as_good(scene):
    run = Run(RunRequest(scene[0], Options(spacing=5.0)))
    run.start()
    run.cancel()
    with pytest.raises(CancelledError):
        run.wait()


@pytest.mark.slow
def test_a_process_killed_by_the_system_ends_in_a_sentence(scene):
    run = Run(RunRequest(scene[0], DMCVR))
    run.start()
    until(run, lambda: run.stage != "load")
    os.killpg(run.processID, signal.SIGKILL)
    with pytest.raises(WorkerError, match="memory ran out"):
        run.wait()


@pytest.mark.slow
def test_the_scene_may_be_emptied_meanwhile(application, scene):
    run = Run(RunRequest(scene[0], SHAPE, labelsNode=scene[1]))
    run.start()
    for node in list(scene):
        application.scene.RemoveNode(node)
    nodes = run.wait()
    assert nodes.volume.GetScene() is application.scene
