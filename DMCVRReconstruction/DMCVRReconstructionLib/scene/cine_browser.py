"""One browser that plays the input, what was made of it, and long-axis cines together.

It is the input's own, where the input is a sequence that a browser plays; so there is one place to play and
to choose a frame. Frames without a result show none.
"""

from __future__ import annotations

from collections.abc import Sequence

import slicer
from dmcvr.core.frame_times import nearest_frame

from .image_series import Series, browserAndSequence, seriesOf
from .sequence_nodes import addBrowser
from .stack_input import RESULT_MARK


def browserOfInput(inputNode):
    """The browser whose items are the frames of ``inputNode``; None where there is none."""
    if inputNode is None:
        return None
    browserNode, sequenceNode = browserAndSequence(inputNode)
    isMaster = browserNode is not None and browserNode.GetMasterSequenceNode() is sequenceNode
    return browserNode if isMaster else None


def indexOfFrames(browserNode, frames: Sequence[int], times: Sequence[float] | None) -> list[str]:
    """What stands in the index of a sequence for ``frames`` of the input: its own values, else the times in
    ms, else the numbers of the frames.
    """
    if browserNode is not None:
        return [browserNode.GetMasterSequenceNode().GetNthIndexValue(frame) for frame in frames]
    return [f"{times[k]:.6g}" if times is not None else str(frame) for k, frame in enumerate(frames)]


def addTracks(browserNode, tracks: list[tuple[object, object]], name: str):
    """Let ``browserNode`` play ``tracks``, each a sequence node and its proxy node, where they have a frame;
    None makes a browser called ``name``. Returns the browser.
    """
    if browserNode is None:
        browserNode = addBrowser(name, tracks)
        browserNode.SetAttribute(RESULT_MARK, "1")
        return browserNode
    before = browserNode.StartModify()  # or the frames in between would be filled before they are excluded
    for sequenceNode, shownNode in tracks:
        browserNode.AddProxyNode(shownNode, sequenceNode, False)
        browserNode.SetOverwriteProxyName(sequenceNode, False)
        browserNode.SetSaveChanges(sequenceNode, shownNode.IsA("vtkMRMLSegmentationNode"))
        browserNode.SetMissingItemMode(
            sequenceNode, slicer.vtkMRMLSequenceBrowserNode.MissingItemSetToDefault
        )
    browserNode.EndModify(before)
    return browserNode


def removeTrack(browserNode, sequenceNode) -> None:
    """Let ``browserNode`` play ``sequenceNode`` no longer; its proxy node stays."""
    if browserNode is None or sequenceNode is None:
        return
    if browserNode.IsSynchronizedSequenceNode(sequenceNode, True):
        browserNode.RemoveSynchronizedSequenceNode(sequenceNode.GetID())


def follow(browserNode, shownNode) -> None:
    """Let ``browserNode`` also play the cine that ``shownNode`` displays, nearest in time.

    Where its frames are not those of the browser, a sequence is made that has an item for each of these. The
    cine's own browser stays. Still images, and cines of a browser that saves what is displayed, are left out.
    """
    own, sequenceNode = browserAndSequence(shownNode)
    if sequenceNode is None or own is browserNode or browserNode.GetSequenceNode(shownNode) is not None:
        return
    series = seriesOf(shownNode)
    if series.shownNode is None or series.count < 2 or own.GetSaveChanges(sequenceNode):
        return
    master = browserNode.GetMasterSequenceNode()
    sameFrames = _index(sequenceNode) == _index(master)
    track = sequenceNode if sameFrames else _nearestFrames(series, sequenceNode, master)
    before = browserNode.StartModify()
    browserNode.AddProxyNode(series.shownNode, track, False)
    browserNode.SetOverwriteProxyName(track, False)
    browserNode.SetSaveChanges(track, False)
    browserNode.EndModify(before)


def _index(sequenceNode) -> list[str]:
    count = sequenceNode.GetNumberOfDataNodes()
    return [sequenceNode.GetNthIndexValue(number) for number in range(count)]


def _nearestFrames(series: Series, sequenceNode, master):
    """A sequence with the frame of ``series`` nearest to each item of ``master``."""
    times, count = seriesOf(master).times, master.GetNumberOfDataNodes()
    made = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", f"{series.name} in time")
    made.SetAttribute(RESULT_MARK, "1")
    made.SetIndexName(master.GetIndexName())
    made.SetIndexUnit(master.GetIndexUnit())
    for number, value in enumerate(_index(master)):
        when = None if times is None else float(times[number])
        index = nearest_frame(series.count, series.times, when, number / count)
        made.SetDataNodeAtValue(sequenceNode.GetNthDataNode(index), value)
    return made
