"""A reconstruction in the scene: image, segmentation, measurements and, for a cine, the browser of both.

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
from dmcvr.core.labels import NAMES
from slicer.i18n import tr as _

from .measurement_nodes import addChart, fillCurve, fillTable
from .result_files import ResultFiles
from .segmentation_nodes import fillSegmentationInSteps, styleSegmentation
from .sequence_nodes import addBrowser, addSequence, indexValue
from .stack_input import RESULT_MARK
from .subject_hierarchy import placeBeside
from .volume_nodes import setVolume, toWorld

INPUT_ROLE = "DMCVR.Input"
RECORD = "DMCVR.Record"
NOTICE = "For research use only, not for diagnosis."


@dataclass
class ResultNodes:
    """The nodes of one result; a single frame has only the first three."""

    volume: object
    segmentation: object
    table: object
    browser: object | None = None
    volumeSequence: object | None = None
    segmentationSequence: object | None = None
    curve: object | None = None
    chart: object | None = None

    @property
    def record(self) -> dict:
        """The contents of result.json."""
        return json.loads(self.table.GetAttribute(RECORD))

    @property
    def frame(self) -> int:
        """The displayed frame, counted among the reconstructed ones."""
        return max(0, self.browser.GetSelectedItemNumber()) if self.browser is not None else 0

    @property
    def frameTime(self) -> float | None:
        """Time of the displayed frame in the cycle, ms, or None."""
        times = self.record["frame_times_ms"]
        return times[self.frame] if times is not None else None

    @property
    def fractionOfCycle(self) -> float:
        """Position of the displayed frame in the cycle, by frames of the input, from 0 to less than 1."""
        return self.record["frames"][self.frame] / self.record["input"]["frames"]

    @property
    def longAxis(self) -> LongAxis | None:
        """The long axis in the displayed frame, in the coordinates of the volume node, LPS mm."""
        found = self.record["long_axis"][self.frame]
        return LongAxis(**{name: np.array(value) for name, value in found.items()}) if found else None

    @property
    def longAxisInWorld(self) -> LongAxis | None:
        """``longAxis`` in the world, LPS mm."""
        axis = self.longAxis
        if axis is None:
            return None
        matrix = toWorld(self.volume)
        turn = matrix[:3, :3]
        return LongAxis(turn @ axis.centre + matrix[:3, 3], turn @ axis.apex, turn @ axis.rv)

    def nodes(self) -> list:
        return [node for field in fields(self) if (node := getattr(self, field.name)) is not None]


@dataclass(frozen=True)
class Destination:
    """What the nodes of a result take from the input.

    name: of the input. count: of its frames. inputID, transformID: the input and its parent transform, looked
    up again when the result arrives, as they may have been removed since. times: (T,) ms of all frames of the
    input, or None. window: (width, level) of the input's display, or None. replaceID: the volume of an
    earlier result to replace.
    """

    name: str
    count: int
    inputID: str | None
    transformID: str | None
    times: np.ndarray | None
    window: tuple[float, float] | None
    replaceID: str | None = None


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
    for node in [nodes.browser, *series, *(node for node in nodes.nodes() if node is not nodes.browser)]:
        if node is not None:
            slicer.mrmlScene.RemoveNode(node)


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
            _setProvenance(node, record)
        if count > 1:
            nodes.volumeSequence = addSequence(f"{nodes.volume.GetName()} sequence", times)
            nodes.segmentationSequence = addSequence(f"{nodes.segmentation.GetName()} sequence", times)
            made += [nodes.volumeSequence, nodes.segmentationSequence]
        steps = 1 + len(NAMES)
        total = steps * count + 2
        for index in range(count):
            setVolume(nodes.volume, files.volume[index], files.grid)
            yield steps * index + 1, total
            drawing = fillSegmentationInSteps(
                nodes.segmentation, files.labels[index], files.grid, nodes.volume
            )
            for done, _step in enumerate(drawing, start=2):
                yield steps * index + done, total
            if count > 1:
                value = indexValue(index, times)
                nodes.volumeSequence.SetDataNodeAtValue(nodes.volume, value)
                nodes.segmentationSequence.SetDataNodeAtValue(nodes.segmentation, value)
        if count > 1:
            nodes.browser = addBrowser(
                _("{name} DMCVR cine").format(name=destination.name),
                [(nodes.volumeSequence, nodes.volume), (nodes.segmentationSequence, nodes.segmentation)],
            )
            nodes.curve = slicer.mrmlScene.AddNewNodeByClass(
                "vtkMRMLTableNode", _("{name} DMCVR volume curve").format(name=destination.name)
            )
            fillCurve(nodes.curve, record, times)
            nodes.chart, series = addChart(
                _("{name} DMCVR volume chart").format(name=destination.name), nodes.curve
            )
            made += [nodes.browser, nodes.curve, nodes.chart, *series]
        yield total - 1, total
        fillTable(nodes.table, record)
        _display(nodes, destination, isNew)
        yield total, total
        for node in nodes.nodes():
            _setProvenance(node, record)
        _addReferences(nodes, record, destination)
        if nodes.browser is not None:
            nodes.browser.SetSelectedItemNumber(record["ed"] or 0)
            slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(nodes.browser)
        finished = True
        return nodes
    finally:
        if not finished:
            for node in made:
                if node.GetScene() is not None:
                    slicer.mrmlScene.RemoveNode(node)


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
    """Remove the nodes that only a cine has: its frames may differ now."""
    old = ResultNodes(None, None, None, *[getattr(nodes, field.name) for field in fields(nodes)[3:]])
    for field in fields(nodes)[3:]:
        nodes.table.RemoveNodeReferenceIDs(f"DMCVR.{field.name}")
        setattr(nodes, field.name, None)
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


def _setProvenance(node, record: dict) -> None:
    """Provenance as attributes. The frames of a cine need them before they are added to the sequence."""
    model = record["model"] or {}
    facts = {
        "Version": record["versions"]["dmcvr"],
        "Method": record["method"],
        "Model": model.get("name"),
        "ModelSHA256": model.get("sha256"),
        "ModelLicence": model.get("licence"),
        "Device": record["device"],
        "Steps": record["steps"],
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


def _addReferences(nodes: ResultNodes, record: dict, destination: Destination) -> None:
    """References among the nodes and to the input, the record, and the place in the subject hierarchy."""
    inputNode = _node(destination.inputID)
    for field in fields(nodes):
        node = getattr(nodes, field.name)
        if node is not None and field.name != "table":
            nodes.table.SetNodeReferenceID(f"DMCVR.{field.name}", node.GetID())
    nodes.table.SetNodeReferenceID(INPUT_ROLE, inputNode.GetID() if inputNode is not None else None)
    nodes.table.SetAttribute(RECORD, json.dumps(record))
    placeBeside(nodes.nodes(), inputNode)
