"""The thickness of the left ventricle's wall as colours of the myocardium's surface.

A model with the surface of each frame follows the browser, as image and segmentation do. While it is shown,
the myocardium's own segment, which has the same surface, is hidden in 3D.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import slicer
import vtk
from dmcvr.core.labels import LVM, NAMES
from slicer.i18n import tr as _
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from .cine_browser import addTracks, removeTrack
from .removal import removeNodes
from .result_nodes import HIDDEN, INPUT_ROLE, ResultNodes, refer, setProvenance
from .segmentation_nodes import labelsOfSegmentation
from .sequence_nodes import addSequence
from .subject_hierarchy import placeBeside
from .volume_nodes import RAS_TO_LPS, gridOfVolume

THICKNESS = "Wall thickness (mm)"
"""The array of the model's points; 0 where the wall is not measured, near its rim at the base."""
SCALE_MM = 0.0, 16.0
LEGEND_SIZE, LEGEND_PLACE = (0.11, 0.4), (0.98, 0.04)  # in shares of the view: the lower right corner
COLOURS_NAME = "DMCVR wall thickness"
NOT_MEASURED = 0.65, 0.65, 0.65
VIRIDIS = (
    (68, 1, 84),
    (71, 45, 123),
    (59, 82, 139),
    (44, 114, 142),
    (33, 145, 140),
    (40, 174, 128),
    (94, 201, 98),
    (173, 220, 48),
    (253, 231, 37),
)
"""Nine colours evenly along that map of matplotlib's, which grows evenly in lightness."""
COUNT = 256


def showWall(nodes: ResultNodes, shown: bool) -> None:
    """Show or hide the wall's thickness in the 3D views; frames that were not measured show none."""
    if shown and nodes.wall is None:
        _addNodes(nodes)
    if nodes.wall is not None:
        nodes.wall.SetAndObserveTransformNodeID(nodes.segmentation.GetTransformNodeID())
        nodes.wall.GetDisplayNode().SetVisibility(shown)
    display, segmentID = nodes.segmentation.GetDisplayNode(), myocardiumID(nodes.segmentation)
    if display is None or not segmentID:
        return
    if shown and display.GetSegmentVisibility3D(segmentID):
        display.SetSegmentVisibility3D(segmentID, False)
        nodes.table.SetAttribute(HIDDEN, "1")
    elif not shown and nodes.table.GetAttribute(HIDDEN):
        display.SetSegmentVisibility3D(segmentID, True)
        nodes.table.RemoveAttribute(HIDDEN)


def isWallShown(nodes: ResultNodes) -> bool:
    """Whether the wall's thickness is shown."""
    display = nodes.wall.GetDisplayNode() if nodes.wall is not None else None
    return display is not None and bool(display.GetVisibility())


def framesToMeasure(nodes: ResultNodes) -> list[int]:
    """The frames, counted among the reconstructed ones, whose wall was not measured yet: first the displayed
    one, then end-diastole and end-systole.
    """
    if nodes.wall is None:
        return []
    if nodes.wallSequence is None:
        return [0] if nodes.wall.GetPolyData() is None else []
    record = nodes.record
    first = [frame for frame in (nodes.frame, record["ed"], record["es"]) if frame is not None]
    return [
        frame for frame in dict.fromkeys([*first, *range(len(record["frames"]))]) if not _at(nodes, frame)
    ]


def measureWall(nodes: ResultNodes, frame: int) -> Generator[None, None, vtk.vtkPolyData]:
    """Measure the wall in ``frame``, counted among the reconstructed ones, and keep it in the scene; yields
    after each part, so that the window stays responsive. A frame without a left ventricle and its axis gets
    an empty surface. scikit-image must be installed.
    """
    from dmcvr.anatomy.walls import mid_wall_in_steps

    segmentation, volume = nodes.segmentationAt(frame), nodes.volumeAt(frame)
    labels, axis = labelsOfSegmentation(segmentation, volume), nodes.longAxisAt(frame)
    yield
    surface, wall = vtk.vtkPolyData(), None
    if labels is not None and axis is not None:
        wall = yield from mid_wall_in_steps(labels, gridOfVolume(volume), axis)
    if wall is not None:
        slicer.modules.segmentations.logic().GetSegmentClosedSurfaceRepresentation(
            segmentation, myocardiumID(segmentation), surface, False
        )
        yield
        points = vtk_to_numpy(surface.GetPoints().GetData()).astype(float)
        found = wall.thickness_at(points * RAS_TO_LPS.diagonal()[:3], axis)
        array = numpy_to_vtk(found.astype(np.float32), deep=True)
        array.SetName(THICKNESS)
        surface.GetPointData().AddArray(array)
    yield
    _keep(nodes, frame, surface)
    return surface


def wallAt(nodes: ResultNodes, frame: int):
    """The model of ``frame`` of a cine, which was measured."""
    return nodes.wallSequence.GetDataNodeAtValue(nodes.volumeSequence.GetNthIndexValue(frame), True)


def forgetWall(nodes: ResultNodes, frame: int) -> None:
    """Let the wall in ``frame``, which was edited, count as not measured."""
    if nodes.wallSequence is not None:
        nodes.wallSequence.RemoveDataNodeAtValue(nodes.volumeSequence.GetNthIndexValue(frame))
    elif nodes.wall is not None:
        nodes.wall.SetAndObservePolyData(None)


def myocardiumID(segmentationNode) -> str:
    """The ID of the segment of the myocardium; empty where there is none."""
    return segmentationNode.GetSegmentation().GetSegmentIdBySegmentName(NAMES[LVM])


def _at(nodes: ResultNodes, frame: int) -> bool:
    value = nodes.volumeSequence.GetNthIndexValue(frame)
    return nodes.wallSequence.GetItemNumberFromIndexValue(value, True) >= 0


def _keep(nodes: ResultNodes, frame: int, surface: vtk.vtkPolyData) -> None:
    if nodes.wallSequence is None:
        nodes.wall.SetAndObservePolyData(surface)
        return
    model = slicer.vtkMRMLModelNode()
    model.SetAndObservePolyData(surface)
    setProvenance(model, nodes.record)  # playing replaces the attributes of what it shows
    nodes.wallSequence.SetDataNodeAtValue(model, nodes.volumeSequence.GetNthIndexValue(frame))
    if nodes.browser.GetProxyNode(nodes.wallSequence) is None:  # an empty sequence cannot be played
        addTracks(nodes.browser, [(nodes.wallSequence, nodes.wall)], "")
    if frame == nodes.frame:
        slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(nodes.browser)


def _addNodes(nodes: ResultNodes) -> None:
    """Add the model, with its colours and their legend, and for a cine a sequence that the browser plays."""
    if nodes.wallSequence is not None:  # of a model that the user has removed
        again = nodes.browser.GetProxyNode(nodes.wallSequence)  # by which the browser replaced it
        removeTrack(nodes.browser, nodes.wallSequence)
        removeNodes([node for node in (again, nodes.wallSequence) if node is not None])
    inputNode = nodes.table.GetNodeReference(INPUT_ROLE)
    title = _("{name} DMCVR wall thickness").format(name=(inputNode or nodes.volume).GetName())
    nodes.wall = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLModelNode", slicer.mrmlScene.GenerateUniqueName(title)
    )
    nodes.wall.CreateDefaultDisplayNodes()
    display = nodes.wall.GetDisplayNode()
    display.SetAndObserveColorNodeID(_colours().GetID())
    display.SetActiveScalar(THICKNESS, vtk.vtkAssignAttribute.POINT_DATA)
    display.SetScalarRangeFlag(slicer.vtkMRMLDisplayNode.UseManualScalarRange)
    display.SetScalarRange(*SCALE_MM)
    display.SetScalarVisibility(True)
    display.SetVisibility2D(False)  # in the slices it would lie under the segment's outline
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(display)
    legend.SetTitleText(_("Wall\n(mm)"))
    legend.SetSize(*LEGEND_SIZE)
    legend.SetPosition(*LEGEND_PLACE)
    legend.SetLabelFormat("%.0f")
    legend.SetVisibility2D(False)
    if nodes.volumeSequence is not None:
        nodes.wallSequence = addSequence(
            f"{nodes.wall.GetName()} sequence", nodes.record["frame_times_ms"], nodes.browser
        )
    added = [node for node in (nodes.wall, nodes.wallSequence) if node is not None]
    for node in added:
        setProvenance(node, nodes.record)
    refer(nodes)
    placeBeside(added, inputNode)


def _colours():
    """The colours, the first of which stands for what was not measured; one table for all results."""
    found = slicer.mrmlScene.GetFirstNodeByName(COLOURS_NAME)
    if found is not None:
        return found
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode", COLOURS_NAME)
    node.SetTypeToUser()
    node.SetNumberOfColors(COUNT)
    stops = np.linspace(0, COUNT - 1, len(VIRIDIS))
    channels = [np.interp(np.arange(COUNT), stops, channel) / 255 for channel in zip(*VIRIDIS, strict=True)]
    for index, colour in enumerate(zip(*channels, strict=True)):
        node.SetColor(index, *(colour if index else NOT_MEASURED), 1.0)
    return node
