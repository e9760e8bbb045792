"""Slice views on given planes, and the display of a segmentation in them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import slicer
from dmcvr.core.geometry import Plane, unit

from ..scene.volume_nodes import RAS_TO_LPS

OUTLINES = {"Visibility2DFill": False, "Visibility2DOutline": True, "SliceIntersectionThickness": 2}


def sliceLogic(name: str):
    """The logic of the slice view named ``name``; None if no layout has shown it yet."""
    return slicer.app.applicationLogic().GetSliceLogicByLayoutName(name)


def showPlane(sliceNode, plane: Plane) -> None:
    """Show all of ``plane`` (world, LPS mm): its columns to the right, its rows downward."""
    signs = RAS_TO_LPS.diagonal()[:3]
    right, down = unit(plane.step_x) * signs, unit(plane.step_y) * signs
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([right, -down, np.cross(right, -down), plane.centre * signs])
    sliceNode.GetSliceToRAS().DeepCopy(matrix.ravel())
    sliceNode.UpdateMatrices()
    height, width = plane.shape[0] * plane.spacing[1], plane.shape[1] * plane.spacing[0]
    columns, rows = sliceNode.GetDimensions()[:2]
    scale = max(width / columns, height / rows)
    sliceNode.SetFieldOfView(scale * columns, scale * rows, sliceNode.GetFieldOfView()[2])
    sliceNode.UpdateMatrices()


def showIn3D(name: str, visible: bool) -> None:
    """Show or hide the plane of the slice view named ``name`` in the 3D views."""
    if (logic := sliceLogic(name)) is not None:
        logic.GetSliceNode().SetSliceVisible(visible)


class SegmentationDisplay:
    """The display of a segmentation during the comparison; restores the previous one."""

    def __init__(self, segmentationNode):
        self._segmentationNode = segmentationNode
        self._before: tuple | None = None

    def showOutlinesIn(self, viewNames: Iterable[str]) -> None:
        """Show outlines without a fill, only in the slice views ``viewNames`` and all 3D views."""
        displayNode = self._segmentationNode.GetDisplayNode()
        shown = [displayNode.GetNthViewNodeID(k) for k in range(displayNode.GetNumberOfViewNodeIDs())]
        self._before = (shown, {name: getattr(displayNode, f"Get{name}")() for name in OUTLINES})
        displayNode.RemoveAllViewNodeIDs()
        for name in viewNames:
            if (logic := sliceLogic(name)) is not None:
                displayNode.AddViewNodeID(logic.GetSliceNode().GetID())
        for node in slicer.util.getNodesByClass("vtkMRMLViewNode"):
            displayNode.AddViewNodeID(node.GetID())
        for name, value in OUTLINES.items():
            getattr(displayNode, f"Set{name}")(value)

    def restore(self) -> None:
        """Restore the previous display."""
        displayNode = self._segmentationNode.GetDisplayNode()
        # The segmentation may have been removed from the scene, and its display with it.
        if self._before is None or displayNode is None:
            return
        shown, values = self._before
        displayNode.RemoveAllViewNodeIDs()
        for viewID in shown:
            displayNode.AddViewNodeID(viewID)
        for name, value in values.items():
            getattr(displayNode, f"Set{name}")(value)
        self._before = None
