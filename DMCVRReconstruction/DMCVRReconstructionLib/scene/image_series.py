"""An image over time, held by a volume, a volume sequence or a multi-volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer
from dmcvr.core.errors import InputError
from dmcvr.core.frame_times import times_from_index
from dmcvr.core.geometry import Grid
from slicer.i18n import tr as _

from .volume_nodes import gridOfVolume, samePlace

FRAME_LABELS = "MultiVolume.FrameLabels"  # attributes of the MultiVolumeImporter extension's nodes
FRAME_UNITS = "MultiVolume.FrameIdentifyingDICOMTagUnits"


@dataclass(frozen=True)
class Series:
    """An image over time.

    node: the sequence, multi-volume or volume that holds it. shownNode: the volume that displays it and has
    the parent transform; None for a sequence that no browser plays.
    grid: of every frame, in the node's own coordinates, LPS mm.
    times: (T,) ms, or None where unknown. count: T.
    """

    node: object
    shownNode: object | None
    grid: Grid
    times: np.ndarray | None
    count: int

    @property
    def name(self) -> str:
        return (self.shownNode or self.node).GetName()

    def frame(self, index: int) -> np.ndarray:
        """(Z, Y, X) copy of the voxels of frame ``index``; the user's browser does not move."""
        if self.node.IsA("vtkMRMLSequenceNode"):
            array = slicer.util.arrayFromVolume(self.node.GetNthDataNode(index))
        else:
            array = slicer.util.arrayFromVolume(self.node)
            if array.ndim == 4:
                array = array[..., index]
        return np.array(array)


def seriesOf(node) -> Series:
    """The series that ``node``, a volume, a sequence or the proxy node of one, belongs to.

    Raises InputError unless it is a greyscale image, and if the frames of a sequence differ in geometry.
    """
    browserNode, sequenceNode = browserAndSequence(node)
    if sequenceNode is not None:
        return _sequenceSeries(sequenceNode, browserNode)
    grid = gridOfVolume(node)
    components = node.GetImageData().GetNumberOfScalarComponents()
    if components == 1:
        return Series(node, node, grid, None, 1)
    labels = node.GetAttribute(FRAME_LABELS)
    if labels is None:
        raise InputError(_("The volume holds colour or vector data; choose a greyscale cine image."))
    times = times_from_index(labels.split(","), components, node.GetAttribute(FRAME_UNITS))
    return Series(node, node, grid, times, components)


def imageNodes() -> list:
    """Every greyscale image in the scene once, a cine by its sequence."""
    sequences = slicer.util.getNodesByClass("vtkMRMLSequenceNode")
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    found = [node for node in sequences if node.GetDataNodeClassName() == "vtkMRMLScalarVolumeNode"]
    return found + [node for node in volumes if isImage(node) and browserAndSequence(node)[1] is None]


def isImage(volumeNode) -> bool:
    """Whether ``volumeNode`` holds a greyscale image, still or a multi-volume, and not labels."""
    imageData = volumeNode.GetImageData()
    if imageData is None or imageData.GetNumberOfPoints() == 0 or volumeNode.IsA("vtkMRMLLabelMapVolumeNode"):
        return False
    return imageData.GetNumberOfScalarComponents() == 1 or volumeNode.GetAttribute(FRAME_LABELS) is not None


def browserAndSequence(node) -> tuple[object | None, object | None]:
    """The browser that plays ``node``, and the sequence that it is or is the proxy node of; or None."""
    browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    if node.IsA("vtkMRMLSequenceNode"):
        playing = [b for b in browsers if b.IsSynchronizedSequenceNodeID(node.GetID(), True)]
        return (playing[0] if playing else None), node
    for browserNode in browsers:
        if (sequenceNode := browserNode.GetSequenceNode(node)) is not None:
            return browserNode, sequenceNode
    return None, None


def currentFrame(node) -> int:
    """The displayed frame of ``node``, counted from 0; 0 if no browser plays it."""
    browserNode, _sequenceNode = browserAndSequence(node)
    return max(0, browserNode.GetSelectedItemNumber()) if browserNode is not None else 0


def _sequenceSeries(sequenceNode, browserNode) -> Series:
    count = sequenceNode.GetNumberOfDataNodes()
    first = sequenceNode.GetNthDataNode(0) if count else None
    if first is None or not first.IsA("vtkMRMLScalarVolumeNode"):
        raise InputError(_("The sequence contains no volumes; choose a cine image."))
    grid = gridOfVolume(first)
    for index in range(1, count):
        if not samePlace(first, sequenceNode.GetNthDataNode(index)):
            raise InputError(_("The frames of the sequence differ in position or size; reload it."))
    index = [sequenceNode.GetNthIndexValue(number) for number in range(count)]
    times = times_from_index(index, count, sequenceNode.GetIndexUnit())
    proxyNode = browserNode.GetProxyNode(sequenceNode) if browserNode is not None else None
    return Series(sequenceNode, proxyNode, grid, times, count)
