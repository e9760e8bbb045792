"""Sequences, and the browsers that play them."""

from __future__ import annotations

from collections.abc import Sequence

import slicer
from dmcvr.core.frame_times import PLAYBACK_FPS


def addSequence(name: str, times: Sequence[float] | None, browserNode=None):
    """A new sequence node for frames at ``times`` (ms); None numbers the frames.

    browserNode: the browser that is to play it; its index is then of the same kind.
    """
    sequenceNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    sequenceNode.SetIndexName("time" if times is not None else "frame")
    sequenceNode.SetIndexUnit("ms" if times is not None else "")
    if browserNode is not None:
        master = browserNode.GetMasterSequenceNode()
        sequenceNode.SetIndexName(master.GetIndexName())
        sequenceNode.SetIndexUnit(master.GetIndexUnit())
        sequenceNode.SetIndexType(master.GetIndexType())
    return sequenceNode


def indexValue(index: int, times: Sequence[float] | None) -> str:
    """The sequence index of frame ``index``."""
    return f"{times[index]:.6g}" if times is not None else str(index)


def addBrowser(name: str, tracks: list[tuple[object, object]]):
    """A browser that plays ``tracks`` together, each a pair of a sequence node and its proxy node.

    Proxy nodes keep their name, display and transform; only their contents follow the sequence. A
    segmentation shares its segments with the sequence, so that edits and the style of segments outlast a
    change of frame; an image is copied, so that nothing done to the displayed one changes the sequence.
    """
    browserNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
    browserNode.SetPlaybackRateFps(PLAYBACK_FPS)
    browserNode.SetIndexDisplayFormat("%.0f")
    for sequenceNode, shownNode in tracks:
        # This adds the sequence as well. Added on its own, it would get a new proxy node at once.
        browserNode.AddProxyNode(shownNode, sequenceNode, False)
        browserNode.SetOverwriteProxyName(sequenceNode, False)
        browserNode.SetSaveChanges(sequenceNode, shownNode.IsA("vtkMRMLSegmentationNode"))
    return browserNode
