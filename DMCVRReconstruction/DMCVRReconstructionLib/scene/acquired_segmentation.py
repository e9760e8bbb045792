"""The acquired slices' labels as a segmentation that the user corrects before a reconstruction.

It lies on the voxels of the input, below the same transform, and a cine's has an item for every frame, so
that each can be drawn; frames that were not labelled have empty segments. Of slices that were loaded one by
one, a volume is assembled, for Segment Editor to draw on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import slicer
from dmcvr.anatomy.long_axis import apex_is_last
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, sample_plane
from dmcvr.core.labels import FILL_OPACITY, LVC
from dmcvr.core.stack import Stack
from slicer.i18n import tr as _

from .cine_browser import addTracks, browserOfInput, indexOfFrames
from .removal import removeNodes
from .segmentation_nodes import fillSegmentation, labelsOfSegmentation
from .sequence_nodes import addSequence
from .stack_input import RESULT_MARK
from .subject_hierarchy import placeBeside
from .volume_nodes import setVolume

SHIFTED = 0.25
"""Share of the distance between slices by which one may lie off an even grid, to be drawn on that."""


@dataclass(frozen=True)
class AcquiredFiles:
    """The labels of a finished segmentation, on the voxels that they are drawn on.

    labels: (T, Z, Y, X) uint8. grid: of each frame, LPS mm, in coordinates below the input's transform.
    image: (T, Z, Y, X), assembled of single slices; None where the input itself has these voxels.
    """

    labels: np.ndarray
    grid: Grid
    image: np.ndarray | None = None


@dataclass(frozen=True)
class AcquiredPlace:
    """Where the segmentation goes; nodes by ID, as they may have been removed since.

    name: of the input. inputID, transformID: the input and the parent transform. times: (T,) ms of the
    input's frames, or None.
    """

    name: str
    inputID: str
    transformID: str | None
    times: np.ndarray | None


def evenGrid(stack: Stack) -> tuple[Grid, np.ndarray]:
    """A grid whose slices lie where those of ``stack`` do, and (S,) which z each is; rows may be missing.

    Raises InputError where they are too uneven for one.
    """
    step = float(stack.gaps.min())
    place = stack.positions / step
    z = np.rint(place).astype(int)
    if np.abs(place - z).max() > SHIFTED:
        raise InputError(
            _(
                "The slices lie at too uneven distances for one segmentation; reconstruct them without "
                "correcting it first."
            )
        )
    shape = (int(z[-1]) + 1, *stack.frames.shape[2:])
    return Grid(stack.origins[0], stack.step_x, stack.step_y, stack.normal * step, shape), z


def onGrid(frames: np.ndarray, stack: Stack, grid: Grid, z: np.ndarray, order: int) -> np.ndarray:
    """(T, Z, Y, X) of ``frames`` (T, S, H, W) of ``stack``, on ``grid``, whose row z[i] is the slice i."""
    out = np.zeros((len(frames), *grid.shape), frames.dtype)
    for index, row in enumerate(z):
        source, target = stack.plane(index), grid.plane(row)
        away = target.origin - source.origin
        away = away - stack.normal * (away @ stack.normal)
        if np.linalg.norm(away) < 1e-3 * min(stack.spacing):
            out[:, row] = frames[:, index]
            continue
        for frame, image in zip(out, frames[:, index], strict=True):
            frame[row] = sample_plane(image, source, target, order=order)
    return out


def importAcquired(files: AcquiredFiles, place: AcquiredPlace) -> Iterator[tuple[int, int]]:
    """Add ``files`` to the scene step by step, yielding (done, total); returns the segmentation node.

    If it is closed or fails early, the nodes it added are removed.
    """
    scene, made, finished = slicer.mrmlScene, [], False
    count = len(files.labels)
    try:
        inputNode = scene.GetNodeByID(place.inputID)
        browserNode = browserOfInput(inputNode)
        segmentation = _add("vtkMRMLSegmentationNode", _("{name} segmentation").format(name=place.name))
        made.append(segmentation)
        image = inputNode
        if files.image is not None:
            image = _add("vtkMRMLScalarVolumeNode", _("{name} stack").format(name=place.name))
            made.append(image)
        tracks = [(node, sequenceOf(node, place, browserNode)) for node in made] if count > 1 else []
        made += [sequenceNode for _node, sequenceNode in tracks]
        index = indexOfFrames(browserNode, range(count), place.times)
        for frame in range(count):
            if files.image is not None:
                setVolume(image, files.image[frame], files.grid)
            drawnOn = image if image is not None and image.IsA("vtkMRMLVolumeNode") else None
            fillSegmentation(segmentation, files.labels[frame], files.grid, drawnOn, surfaces=False)
            for node, sequenceNode in tracks:
                sequenceNode.SetDataNodeAtValue(node, index[frame])
            yield frame + 1, count + 1
        for node in (segmentation, image):
            if node in made:
                node.CreateDefaultDisplayNodes()
                node.SetAndObserveTransformNodeID(place.transformID)
        segmentation.GetDisplayNode().SetOpacity2DFill(FILL_OPACITY)
        if tracks:
            title = _("{name} cine").format(name=place.name)
            browser = addTracks(browserNode, [(sequence, node) for node, sequence in tracks], title)
            made += [browser] if browserNode is None else []
            drawn = np.flatnonzero(files.labels.any((1, 2, 3))).tolist()
            if drawn and browser.GetSelectedItemNumber() not in drawn:
                browser.SetSelectedItemNumber(drawn[0])
            slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
        placeBeside(made, inputNode)
        finished = True
        yield count + 1, count + 1
        return segmentation
    finally:
        if not finished:
            removeNodes(made)


def sequenceOf(node, place: AcquiredPlace, browserNode):
    """A new sequence for the frames that ``node`` will show."""
    sequenceNode = addSequence(f"{node.GetName()} sequence", place.times, browserNode)
    sequenceNode.SetAttribute(RESULT_MARK, "1")
    return sequenceNode


def ends(segmentationNode, volumeNode) -> tuple[int, int] | None:
    """The basal and the apical slice of ``volumeNode``, by index, in which the left ventricular cavity is
    drawn in the displayed frame; None where it is not.
    """
    labels = labelsOfSegmentation(segmentationNode, volumeNode)
    if labels is None or not (labels == LVC).any():
        return None
    slices = np.flatnonzero((labels == LVC).any((1, 2))).tolist()
    return (slices[0], slices[-1]) if apex_is_last(labels) else (slices[-1], slices[0])


def _add(className: str, name: str):
    node = slicer.mrmlScene.AddNewNodeByClass(className, slicer.mrmlScene.GenerateUniqueName(name))
    node.SetAttribute(RESULT_MARK, "1")
    return node
