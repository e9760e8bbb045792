"""Sequences with a browser: frames that play."""

from __future__ import annotations

from collections.abc import Sequence

import slicer
from dmcvr.core.frame_times import PLAYBACK_FPS


def addSequence(name: str, times: Sequence[float] | None):
    """A new sequence node for frames at ``times`` (ms), or numbered where these are None."""
    sequenceNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    sequenceNode.SetIndexName("time" if times is not None else "frame")
    sequenceNode.SetIndexUnit("ms" if times is not None else "")
    return sequenceNode


def indexValue(index: int, times: Sequence[float] | None) -> str:
    """The sequence index of frame ``index``."""
    return f"{times[index]:.6g}" if times is not None else str(index)


def addBrowser(name: str, tracks: list[tuple[object, object]]):
    """A browser that plays ``tracks`` of (sequence node, node in the scene that shows its frames) together.

    The shown nodes keep their names, display and place; only their contents follow the sequence.
    """
    browserNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
    browserNode.SetPlaybackRateFps(PLAYBACK_FPS)
    browserNode.SetIndexDisplayFormat("%.0f")
    for sequenceNode, shownNode in tracks:
        # This adds the sequence as well. Added on its own, it would at once get a new node that shows it.
        browserNode.AddProxyNode(shownNode, sequenceNode, False)
        browserNode.SetOverwriteProxyName(sequenceNode, False)
        browserNode.SetSaveChanges(sequenceNode, False)
    return browserNode
