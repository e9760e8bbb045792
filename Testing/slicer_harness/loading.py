"""Images put into the scene as Slicer's readers leave them there."""

from __future__ import annotations

import numpy as np
import slicer
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid
from dmcvr.core.stack import Stack, stack_grid
from DMCVRReconstructionLib.scene.volume_nodes import setVolume

THICKNESS_MM = 8.0  # of a single slice; its place is that of its middle


def addVolume(name: str, array: np.ndarray, grid: Grid, className="vtkMRMLScalarVolumeNode"):
    """A volume with ``array`` (Z, Y, X) on ``grid``."""
    node = slicer.mrmlScene.AddNewNodeByClass(className, name)
    setVolume(node, array, grid)
    node.CreateDefaultDisplayNodes()
    return node


def addCine(name: str, arrays: np.ndarray, grid: Grid, times=None, unit="ms", labels=False):
    """A sequence of ``arrays`` (T, Z, Y, X) and a browser that plays it: sequence, browser, shown volume.

    times: (T,) what stands in the sequence's index, in ``unit``; None numbers the frames.
    """
    kind = "LabelMap" if labels else "Scalar"
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    sequence.SetIndexName("time")
    sequence.SetIndexUnit(unit)
    for index, array in enumerate(arrays):
        volume = getattr(slicer, f"vtkMRML{kind}VolumeNode")()
        setVolume(volume, array, grid)
        sequence.SetDataNodeAtValue(volume, str(times[index] if times is not None else index))
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{name} browser")
    browser.AddSynchronizedSequenceNode(sequence)
    slicer.modules.sequences.logic().UpdateAllProxyNodes()
    shown = browser.GetProxyNode(sequence)
    shown.SetName(name)
    return sequence, browser, shown


def addStack(name: str, stack: Stack, apart: bool = False) -> list:
    """The volumes that show ``stack``: one, or where its slices lie irregularly or are to be ``apart``, as
    DICOM import leaves what a scanner stored as a series per slice, one a slice.
    """
    count = len(stack.origins)
    if not apart and count > 1:
        try:
            return [_shown(name, stack.frames, stack_grid(stack), stack.times)]
        except InputError:  # one node cannot hold irregular slices
            pass
    nodes = []
    for k in range(count):
        step = stack.normal * THICKNESS_MM
        grid = Grid(stack.origins[k], stack.step_x, stack.step_y, step, (1, *stack.frames.shape[2:]))
        title = f"{name} {k + 1}" if count > 1 else name
        nodes.append(_shown(title, stack.frames[:, k : k + 1], grid, stack.times))
    return nodes


def _shown(name: str, frames: np.ndarray, grid: Grid, times: np.ndarray | None):
    if len(frames) == 1:
        return addVolume(name, frames[0], grid)
    return addCine(name, frames, grid, times)[2]
