"""End-diastole and end-systole side by side: short axis, long axis and 3D of each.

End-diastole is displayed in the result's own nodes, end-systole in copies that are hidden and not saved.
"""

from __future__ import annotations

import slicer
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Plane, unit
from slicer.i18n import tr as _

from ..scene.removal import removeNodes
from ..scene.result_nodes import ResultNodes
from ..scene.segmentation_nodes import styleSegmentation
from ..scene.volume_nodes import gridOfVolume, isRigid, toWorld, transformGrid
from ..scene.wall_nodes import framesToMeasure, isWallShown, myocardiumID, wallAt
from .helper_nodes import addHelper
from .layouts import restoreLayout
from .phase_layout import IN_3D, LAX, SAX, phaseView, showPhases
from .slice_views import FittedViews, sliceLogic

SIZE_MM = 140.0
VIEW_CLASSES = ("vtkMRMLSliceNode", "vtkMRMLViewNode")


class SideBySide:
    """Shows end-diastole and end-systole of a result until it is left again.

    Raises InputError unless both were reconstructed and the long axis is known.
    """

    def __init__(self, nodes: ResultNodes):
        record = nodes.record
        if not canBeShown(nodes):
            raise InputError(_("Reconstruct end-diastole and end-systole first."))
        matrix = toWorld(nodes.volume)
        if matrix is None or not isRigid(matrix):
            raise InputError(_("The result lies below a transform that is not rigid; remove the transform."))
        self._nodes, self._ed, self._es = nodes, record["ed"], record["es"]
        self._copies: list = []
        self._views = FittedViews()
        self._restricted: list = []  # displays of the result that are kept out of the views of end-systole
        self._layoutBefore: int | None = None

    def enter(self) -> None:
        """Show the layout."""
        nodes = self._nodes
        nodes.showFrame(self._ed)
        volume = self._copy(nodes.volumeSequence.GetNthDataNode(self._es), nodes.volume)
        volume.GetDisplayNode().CopyContent(nodes.volume.GetDisplayNode())
        segmentation = self._copy(nodes.segmentationSequence.GetNthDataNode(self._es), nodes.segmentation)
        styleSegmentation(segmentation)
        ofPhases = [(nodes.segmentation, segmentation), *self._copiedWall(segmentation)]
        self._layoutBefore = showPhases()
        for phase, image in (("ED", nodes.volume), ("ES", volume)):
            for kind, plane in self._planes().items():
                logic = sliceLogic(phaseView(phase, kind))
                composite = logic.GetSliceCompositeNode()
                composite.SetBackgroundVolumeID(image.GetID())
                composite.SetForegroundVolumeID(None)
                composite.SetLabelVolumeID(None)
                self._views.show(logic.GetSliceNode(), plane)
        for ofED, ofES in ofPhases:
            self._share(ofED.GetDisplayNode(), ofES.GetDisplayNode())

    def leave(self) -> None:
        """Restore the user's layout and remove the copies."""
        if self._layoutBefore is None:
            return
        self._views.release()
        restoreLayout(self._layoutBefore)
        self._layoutBefore = None
        for display in self._restricted:
            if display.GetScene() is not None:
                display.RemoveAllViewNodeIDs()
        self._restricted.clear()
        removeNodes(self._copies)
        self._copies.clear()

    def _copy(self, dataNode, shownNode):
        made = addHelper(dataNode.GetClassName(), f"{shownNode.GetName()} ES")
        made.CopyContent(dataNode)
        made.CreateDefaultDisplayNodes()
        made.GetDisplayNode().SetSaveWithScene(False)
        made.SetAndObserveTransformNodeID(shownNode.GetTransformNodeID())
        self._copies.append(made)
        return made

    def _copiedWall(self, segmentation) -> list[tuple]:
        """The wall at both phases, where its thickness is shown; it takes the place of a segment of
        ``segmentation``, the copy.
        """
        nodes = self._nodes
        if not isWallShown(nodes) or self._es in framesToMeasure(nodes):
            return []
        wall = self._copy(wallAt(nodes, self._es), nodes.wall)
        wall.GetDisplayNode().CopyContent(nodes.wall.GetDisplayNode())
        wall.GetDisplayNode().SetAndObserveColorNodeID(nodes.wall.GetDisplayNode().GetColorNodeID())
        segmentation.GetDisplayNode().SetSegmentVisibility3D(myocardiumID(segmentation), False)
        return [(nodes.wall, wall)]

    def _planes(self) -> dict[str, Plane]:
        """The planes of both phases in the world, LPS mm: those of end-diastole, so that the two compare."""
        axis = self._nodes.longAxisInWorld
        grid = transformGrid(gridOfVolume(self._nodes.volume), toWorld(self._nodes.volume))
        right, down = unit(grid.step_x), unit(grid.step_y)
        corner = axis.centre - (right + down) * SIZE_MM / 2
        size = round(SIZE_MM) + 1
        return {
            SAX: Plane(corner, right, down, (size, size)),
            LAX: axis.apical("4ch", size_mm=SIZE_MM, spacing=1.0),
        }

    def _share(self, ofED, ofES) -> None:
        """Let each display be seen in the views of its own phase only."""
        nodes = [node for name in VIEW_CLASSES for node in slicer.util.getNodesByClass(name)]
        es = [phaseView("ES", kind) for kind in (SAX, LAX, IN_3D)]
        if ofED.GetNumberOfViewNodeIDs() == 0:
            self._restricted.append(ofED)
            for node in nodes:
                if node.GetLayoutName() not in es:
                    ofED.AddViewNodeID(node.GetID())
        ofES.RemoveAllViewNodeIDs()
        for node in nodes:
            if node.GetLayoutName() in es:
                ofES.AddViewNodeID(node.GetID())


def canBeShown(nodes: ResultNodes) -> bool:
    """Whether the result holds two phases with a long axis."""
    record = nodes.record
    both = nodes.volumeSequence is not None and None not in (record["ed"], record["es"])
    return both and record["ed"] != record["es"] and record["long_axis"][record["ed"]] is not None
