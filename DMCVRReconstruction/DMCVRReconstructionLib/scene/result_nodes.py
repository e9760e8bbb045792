"""A reconstruction in the scene: image, segmentation, measurements, report and, for a cine, what plays them.

The table of measurements is the root of a result: it refers to the other nodes and to the input, and holds
the record of the run, so that nothing is lost in a saved scene. The image cannot be the root, as playing a
cine replaces its attributes with those of the displayed frame.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import slicer
from dmcvr.anatomy.long_axis import LongAxis
from dmcvr.core.labels import LVM, NAMES
from slicer.i18n import tr as _

from .cine_browser import addTracks, browserOfInput, follow, indexOfFrames, removeTrack
from .measurement_nodes import addChart, fillCurve, fillTable
from .removal import removeNodes
from .result_files import ResultFiles
from .segmentation_nodes import fillSegmentationInSteps, styleSegmentation
from .sequence_nodes import addSequence
from .stack_input import RESULT_MARK
from .subject_hierarchy import placeBeside
from .volume_nodes import isRigid, setVolume, toWorld

INPUT_ROLE = "DMCVR.Input"
RECORD = "DMCVR.Record"
EDITED = "DMCVR.EditedVolumes"  # of frames that were edited since, see ``edited_volumes``
HIDDEN = "DMCVR.MyocardiumHidden"  # while ``wall`` takes the place of its segment, see ``wall_nodes``
NOTICE = "For research use only, not for diagnosis."
KEPT = ("volume", "segmentation", "table", "report")  # when another result, still or cine, replaces one


@dataclass
class ResultNodes:
    """The nodes of one result; a single frame has no sequences. The browser may be the input's own."""

    volume: object
    segmentation: object
    table: object
    browser: object | None = None
    volumeSequence: object | None = None
    segmentationSequence: object | None = None
    curve: object | None = None
    chart: object | None = None
    report: object | None = None
    wall: object | None = None
    wallSequence: object | None = None

    @property
    def record(self) -> dict:
        """The contents of result.json."""
        return json.loads(self.table.GetAttribute(RECORD))

    @property
    def frame(self) -> int | None:
        """The displayed frame, counted among the reconstructed ones; None where it is none of these."""
        if self.browser is None or self.volumeSequence is None:
            return 0
        master = self.browser.GetMasterSequenceNode()
        if master is None:  # the user has removed what plays
            return None
        value = master.GetNthIndexValue(max(0, self.browser.GetSelectedItemNumber()))
        index = self.volumeSequence.GetItemNumberFromIndexValue(value, True)
        return index if index >= 0 else None

    @property
    def frameTime(self) -> float | None:
        """Time of the displayed frame in the cycle, ms; None where it is unknown or no result."""
        times, frame = self.record["frame_times_ms"], self.frame
        return times[frame] if times is not None and frame is not None else None

    @property
    def fractionOfCycle(self) -> float:
        """Position of the displayed frame in the cycle, by frames of the input, from 0 to less than 1."""
        return self.record["frames"][self.frame or 0] / self.record["input"]["frames"]

    @property
    def longAxis(self) -> LongAxis | None:
        """The long axis in the displayed frame, in the coordinates of the volume node, LPS mm."""
        frame = self.frame
        return self.longAxisAt(frame) if frame is not None else None

    def longAxisAt(self, frame: int) -> LongAxis | None:
        """The long axis in ``frame``, counted among the reconstructed ones, as ``longAxis``."""
        found = self.record["long_axis"][frame]
        return LongAxis(**{name: np.array(value) for name, value in found.items()}) if found else None

    @property
    def longAxisInWorld(self) -> LongAxis | None:
        """``longAxis`` in the world, LPS mm; None as well below a transform that is not rigid."""
        axis, matrix = self.longAxis, toWorld(self.volume)
        if axis is None or matrix is None or not isRigid(matrix):
            return None
        turn = matrix[:3, :3]
        return LongAxis(turn @ axis.centre + matrix[:3, 3], turn @ axis.apex, turn @ axis.rv)

    def volumeAt(self, frame: int):
        """The image of ``frame``, counted among the reconstructed ones; in the scene only if displayed."""
        isShown = self.volumeSequence is None or frame == self.frame
        return self.volume if isShown else self.volumeSequence.GetNthDataNode(frame)

    def segmentationAt(self, frame: int):
        """The segmentation of ``frame``, as by ``volumeAt``."""
        isShown = self.segmentationSequence is None or frame == self.frame
        return self.segmentation if isShown else self.segmentationSequence.GetNthDataNode(frame)

    def showFrame(self, index: int) -> None:
        """Display the reconstructed frame ``index``."""
        if self.browser is not None and self.volumeSequence is not None:
            self.browser.SetSelectedItemByIndexValue(self.volumeSequence.GetNthIndexValue(index), True)
            slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(self.browser)

    def nodes(self) -> list:
        """The result's own nodes, without a browser of the input."""
        found = [node for field in fields(self) if (node := getattr(self, field.name)) is not None]
        return [node for node in found if node is not self.browser or node.GetAttribute(RESULT_MARK)]


@dataclass(frozen=True)
class Destination:
    """What the nodes of a result take from the input.

    name: of the input. count: of its frames. inputID, transformID: the input and its parent transform, looked
    up again when the result arrives, as they may have been removed since. times: (T,) ms of all frames of the
    input, or None. window: (width, level) of the input's display, or None. replaceID: the volume of an
    earlier result to replace. followerIDs: other cines, to be played with the result: long-axis images, and
    the other slices of a stack that was loaded slice by slice.
    """

    name: str
    count: int
    inputID: str | None
    transformID: str | None
    times: np.ndarray | None
    window: tuple[float, float] | None
    replaceID: str | None = None
    followerIDs: tuple[str, ...] = ()


def resultOf(node) -> ResultNodes | None:
    """The result that ``node`` is part of; None for other nodes, and if image or segments were removed."""
    if node is None:
        return None
    for tableNode in slicer.util.getNodesByClass("vtkMRMLTableNode"):
        if tableNode.GetAttribute(RECORD) is None:
            continue
        found = {
            field.name: tableNode.GetNodeReference(f"DMCVR.{field.name}")
            for field in fields(ResultNodes)
            if field.name != "table"
        }
        complete = found["volume"] is not None and found["segmentation"] is not None
        if complete and (node is tableNode or node in found.values()):
            return ResultNodes(table=tableNode, **found)
    return None


def removeResult(nodes: ResultNodes) -> None:
    """Remove all nodes of a result from the scene."""
    series = []
    if nodes.chart is not None:
        series = [
            nodes.chart.GetNthPlotSeriesNode(k) for k in range(nodes.chart.GetNumberOfPlotSeriesNodes())
        ]
    # The browser first: it would create its proxy nodes again.
    own = nodes.nodes()
    if nodes.browser in own:
        removeNodes([nodes.browser])
    else:
        for sequenceNode in (nodes.volumeSequence, nodes.segmentationSequence, nodes.wallSequence):
            removeTrack(nodes.browser, sequenceNode)
    removeNodes([*series, *own])


def importResult(files: ResultFiles, destination: Destination) -> Iterator[tuple[int, int]]:
    """Add ``files`` to the scene, step by step so that the window stays responsive; yields (done, total).

    The generator returns the ``ResultNodes``. If it is closed or fails early, the nodes it added are removed.
    """
    before = resultOf(_node(destination.replaceID))
    nodes, isNew = _rootNodes(destination.name, before)
    made: list = list(nodes.nodes()) if isNew else []
    finished = False
    try:
        count = len(files.volume)
        record = _completed(files.record, destination)
        times = record["frame_times_ms"] if count > 1 else None
        if before is not None:
            _removeCine(nodes)
        for node in nodes.nodes():
            setProvenance(node, record)
        browserNode = browserOfInput(_node(destination.inputID))
        index = indexOfFrames(browserNode, record["frames"], times)
        if count > 1:
            names = [f"{node.GetName()} sequence" for node in (nodes.volume, nodes.segmentation)]
            nodes.volumeSequence, nodes.segmentationSequence = (
                addSequence(name, times, browserNode) for name in names
            )
            made += [nodes.volumeSequence, nodes.segmentationSequence]
        steps = 1 + len(NAMES)
        total = steps * count + 2
        for frame in range(count):
            setVolume(nodes.volume, files.volume[frame], files.grid)
            yield steps * frame + 1, total
            drawing = fillSegmentationInSteps(
                nodes.segmentation, files.labels[frame], files.grid, nodes.volume
            )
            for done, _step in enumerate(drawing, start=2):
                yield steps * frame + done, total
            if count > 1:
                nodes.volumeSequence.SetDataNodeAtValue(nodes.volume, index[frame])
                nodes.segmentationSequence.SetDataNodeAtValue(nodes.segmentation, index[frame])
        browserNode = browserOfInput(_node(destination.inputID))  # it may have been removed meanwhile
        if count > 1:
            made += _addPlayback(nodes, browserNode, destination.name, index[record["ed"] or 0])
            made += _addCurve(nodes, destination.name, record)
        yield total - 1, total
        if files.report:
            made += _addReport(nodes, destination.name, files.report)
        fillTable(nodes.table, record)
        _display(nodes, destination, isNew)
        yield total, total
        for node in nodes.nodes():
            setProvenance(node, record)
        _addReferences(nodes, record, destination)
        nodes.showFrame(record["ed"] or 0)
        playing = nodes.browser if nodes.browser is not None else browserNode
        for followerID in destination.followerIDs:
            yield total, total
            if playing is not None and (follower := _node(followerID)) is not None:
                follow(playing, follower)
        finished = True
        return nodes
    finally:
        if not finished:
            for sequenceNode in (nodes.volumeSequence, nodes.segmentationSequence):
                removeTrack(nodes.browser, sequenceNode)
            removeNodes(made)


def _addPlayback(nodes: ResultNodes, browserNode, name: str, first: str) -> list:
    """Let ``browserNode``, or a new browser for None, play the result from its frame ``first`` in the index;
    returns what was made.
    """
    tracks = [(nodes.volumeSequence, nodes.volume), (nodes.segmentationSequence, nodes.segmentation)]
    if browserNode is not None:
        # Where the frame displayed has no result, the nodes would be emptied at once.
        browserNode.SetSelectedItemByIndexValue(first, True)
    nodes.browser = addTracks(browserNode, tracks, _("{name} DMCVR cine").format(name=name))
    return [nodes.browser] if browserNode is None else []


def _addCurve(nodes: ResultNodes, name: str, record: dict) -> list:
    """Add the curve and the chart of the volumes; returns what was made."""
    nodes.curve = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLTableNode", _("{name} DMCVR volume curve").format(name=name)
    )
    fillCurve(nodes.curve, record, record["frame_times_ms"])
    nodes.chart, series = addChart(_("{name} DMCVR volume chart").format(name=name), nodes.curve)
    return [nodes.curve, nodes.chart, *series]


def _addReport(nodes: ResultNodes, name: str, text: str) -> list:
    """Keep the report in the scene; returns what was made."""
    isNew = nodes.report is None
    if isNew:
        nodes.report = slicer.mrmlScene.AddNewNodeByClass(
            "vtkMRMLTextNode", _("{name} DMCVR report").format(name=name)
        )
    nodes.report.SetText(text)
    return [nodes.report] if isNew else []


def _completed(record: dict, destination: Destination) -> dict:
    """The record with facts of the whole cine, of which the backend may have been given one frame."""
    times = destination.times
    known = None if times is None else [float(times[frame]) for frame in record["frames"]]
    return {**record, "input": {**record["input"], "frames": destination.count}, "frame_times_ms": known}


def _node(nodeID: str | None):
    return slicer.mrmlScene.GetNodeByID(nodeID) if nodeID else None


def _rootNodes(name: str, before: ResultNodes | None) -> tuple[ResultNodes, bool]:
    if before is not None:
        return before, False
    titles = {
        "vtkMRMLScalarVolumeNode": _("{name} DMCVR volume"),
        "vtkMRMLSegmentationNode": _("{name} DMCVR segmentation"),
        "vtkMRMLTableNode": _("{name} DMCVR measurements"),
    }
    made = []
    for className, title in titles.items():
        unique = slicer.mrmlScene.GenerateUniqueName(title.format(name=name))
        made.append(slicer.mrmlScene.AddNewNodeByClass(className, unique))
    return ResultNodes(*made), True


def _removeCine(nodes: ResultNodes) -> None:
    """Remove the nodes that only a cine has, as its frames may differ now, and what was measured."""
    names = [field.name for field in fields(nodes) if field.name not in KEPT]
    if nodes.table.GetAttribute(HIDDEN):
        nodes.segmentation.GetDisplayNode().SetSegmentVisibility3D(NAMES[LVM], True)
        nodes.table.RemoveAttribute(HIDDEN)
    old = ResultNodes(None, None, None, **{name: getattr(nodes, name) for name in names})
    for name in names:
        nodes.table.RemoveNodeReferenceIDs(f"DMCVR.{name}")
        setattr(nodes, name, None)
    removeResult(old)


def _display(nodes: ResultNodes, destination: Destination, isNew: bool) -> None:
    """Set up the displays; those of an earlier result keep the user's changes."""
    nodes.volume.CreateDefaultDisplayNodes()
    if isNew:
        displayNode = nodes.volume.GetDisplayNode()
        displayNode.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
        if destination.window is not None:
            displayNode.SetAutoWindowLevel(False)
            displayNode.SetWindowLevel(*destination.window)
        styleSegmentation(nodes.segmentation)
    transformNode = _node(destination.transformID)
    for node in (nodes.volume, nodes.segmentation):
        node.SetAndObserveTransformNodeID(transformNode.GetID() if transformNode is not None else None)


def setProvenance(node, record: dict) -> None:
    """Provenance as attributes. The frames of a cine need them before they are added to the sequence."""
    model = record["model"] or {}
    facts = {
        "Version": record["versions"]["dmcvr"],
        "Method": record["method"],
        "Model": model.get("name"),
        "ModelSHA256": model.get("sha256"),
        "ModelLicence": model.get("licence"),
        "Device": record["device"],
        "Steps": record["steps"] and " + ".join(map(str, record["steps"])),
        "Rule": record["rule"],
        "LabelRule": record["label_rule"],
        "Seed": record["seed"],
        "Frames": " ".join(map(str, record["frames"])),
        "Warnings": " ".join(record["warnings"]),
        "Notice": NOTICE,
    }
    with slicer.util.NodeModify(node):  # observers are notified once
        for name, value in facts.items():
            node.SetAttribute(f"DMCVR.{name}", None if value is None else str(value))
        node.SetAttribute(RESULT_MARK, "1")


def refer(nodes: ResultNodes) -> None:
    """Let the table refer to the other nodes, by which ``resultOf`` finds them."""
    for field in fields(nodes):
        node = getattr(nodes, field.name)
        if node is not None and field.name != "table":
            nodes.table.SetNodeReferenceID(f"DMCVR.{field.name}", node.GetID())


def _addReferences(nodes: ResultNodes, record: dict, destination: Destination) -> None:
    """References among the nodes and to the input, the record, and the place in the subject hierarchy."""
    inputNode = _node(destination.inputID)
    refer(nodes)
    nodes.table.SetNodeReferenceID(INPUT_ROLE, inputNode.GetID() if inputNode is not None else None)
    nodes.table.SetAttribute(RECORD, json.dumps(record))
    nodes.table.RemoveAttribute(EDITED)
    placeBeside(nodes.nodes(), inputNode)
