"""Slice views on given planes, and the display of a segmentation in them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import slicer
from dmcvr.core.geometry import Plane, unit

from ..scene.removal import removeNodes
from ..scene.volume_nodes import RAS_TO_LPS
from .helper_nodes import addHelper

OUTLINE_PIXELS = 2
VIEW_CLASSES = ("vtkMRMLSliceNode", "vtkMRMLViewNode")


def sliceLogic(name: str):
    """The logic of the slice view named ``name``; None if no layout has shown it yet."""
    return slicer.app.applicationLogic().GetSliceLogicByLayoutName(name)


class FittedViews:
    """Slice views that each show all of a plane, whatever their size.

    Qt sizes the views of a new layout only once its event loop runs, and the user may resize them later: a
    view is fitted anew whenever its size has changed.
    """

    def __init__(self):
        self._shown: dict[str, tuple] = {}  # by ID: slice node, plane, size fitted to, tag of the observer

    def show(self, sliceNode, plane: Plane) -> None:
        """Show all of ``plane`` (world, LPS mm): its columns to the right, its rows downward."""
        if sliceNode.GetID() in self._shown:
            tag = self._shown[sliceNode.GetID()][3]
        else:
            tag = sliceNode.AddObserver("ModifiedEvent", self._onModified)
        self._shown[sliceNode.GetID()] = sliceNode, plane, sliceNode.GetDimensions()[:2], tag
        _turn(sliceNode, plane)
        _fit(sliceNode, plane)

    def release(self) -> None:
        """Leave the views as they are."""
        for sliceNode, _plane, _size, tag in self._shown.values():
            sliceNode.RemoveObserver(tag)
        self._shown.clear()

    def _onModified(self, sliceNode, event) -> None:
        _node, plane, before, tag = self._shown[sliceNode.GetID()]
        size = sliceNode.GetDimensions()[:2]
        if size != before:
            self._shown[sliceNode.GetID()] = sliceNode, plane, size, tag
            _fit(sliceNode, plane)


def _turn(sliceNode, plane: Plane) -> None:
    """Put the slice view on ``plane``, centred."""
    signs = RAS_TO_LPS.diagonal()[:3]
    right, down = unit(plane.step_x) * signs, unit(plane.step_y) * signs
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([right, -down, np.cross(right, -down), plane.centre * signs])
    sliceNode.GetSliceToRAS().DeepCopy(matrix.ravel())
    sliceNode.UpdateMatrices()


def _fit(sliceNode, plane: Plane) -> None:
    """Zoom so that all of ``plane`` is seen."""
    height, width = plane.shape[0] * plane.spacing[1], plane.shape[1] * plane.spacing[0]
    columns, rows = (max(1, count) for count in sliceNode.GetDimensions()[:2])
    scale = max(width / columns, height / rows)
    sliceNode.SetFieldOfView(scale * columns, scale * rows, sliceNode.GetFieldOfView()[2])
    sliceNode.UpdateMatrices()


def showIn3D(name: str, visible: bool) -> None:
    """Show or hide the plane of the slice view named ``name`` in the 3D views."""
    if (logic := sliceLogic(name)) is not None:
        logic.GetSliceNode().SetSliceVisible(visible)


class SegmentationOutlines:
    """A segmentation as outlines in some slice views, and as the user has it in all others.

    The outlines are drawn by a node of their own, which shares the segments and is not saved. Of the user's
    display only the list of views changes, to those other views: a scene that is saved meanwhile shows the
    segmentation as before, as Slicer does not tell anyone that it is about to save.
    """

    def __init__(self, segmentationNode):
        self._segmentationNode = segmentationNode
        self._outlines = None
        self._restricted = False

    def show(self, viewNames: Iterable[str], without: Iterable[str] = ()) -> None:
        """Show outlines in the slice views ``viewNames``, and nothing in ``without``."""
        own = [logic.GetSliceNode().GetID() for name in viewNames if (logic := sliceLogic(name)) is not None]
        hidden = [logic.GetSliceNode().GetID() for name in without if (logic := sliceLogic(name)) is not None]
        displayNode = self._segmentationNode.GetDisplayNode()
        if displayNode.GetNumberOfViewNodeIDs() == 0:
            self._restricted = True
            for className in VIEW_CLASSES:
                for node in slicer.util.getNodesByClass(className):
                    if node.GetID() not in {*own, *hidden}:
                        displayNode.AddViewNodeID(node.GetID())
        self._outlines = addHelper("vtkMRMLSegmentationNode", "DMCVR outlines")
        self._outlines.CreateDefaultDisplayNodes()
        self._outlines.GetDisplayNode().SetSaveWithScene(False)
        for viewID in own:
            self._outlines.GetDisplayNode().AddViewNodeID(viewID)
        self.update()

    def update(self) -> None:
        """Follow the segmentation, which has other segments in every frame."""
        if self._outlines is None or self._outlines.GetScene() is None:
            return
        self._outlines.SetAndObserveSegmentation(self._segmentationNode.GetSegmentation())
        self._outlines.SetAndObserveTransformNodeID(self._segmentationNode.GetTransformNodeID())
        displayNode = self._outlines.GetDisplayNode()
        with slicer.util.NodeModify(displayNode):
            displayNode.CopyContent(self._segmentationNode.GetDisplayNode())
            displayNode.SetVisibility2DFill(False)
            displayNode.SetVisibility2DOutline(True)
            displayNode.SetSliceIntersectionThickness(OUTLINE_PIXELS)

    def remove(self) -> None:
        """Remove the outlines, and show the segmentation in all views again."""
        if self._outlines is not None:
            removeNodes([self._outlines])
        self._outlines = None
        displayNode = self._segmentationNode.GetDisplayNode()
        # The segmentation may have been removed from the scene, and its display with it.
        if self._restricted and displayNode is not None:
            displayNode.RemoveAllViewNodeIDs()
        self._restricted = False
