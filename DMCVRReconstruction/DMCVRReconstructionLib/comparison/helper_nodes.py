"""Nodes that only the comparison needs: hidden, not saved, and removed when it ends."""

from __future__ import annotations

import numpy as np
import slicer
from dmcvr.core.geometry import Grid
from dmcvr.core.labels import COLOURS, NAMES

from ..scene.removal import removeNodes
from ..scene.result_nodes import ResultNodes
from ..scene.segmentation_nodes import labelsOfSegmentation
from ..scene.stack_input import RESULT_MARK
from ..scene.volume_nodes import gridOfVolume, setVolume
from .lax_images import LaxImage

DISPLAY_PERCENTILES = (1.0, 99.0)


def nearestAcquiredSlices(nodes: ResultNodes) -> tuple[np.ndarray, np.ndarray]:
    """Image and labels (Z, Y, X) with every slice of the result replaced by the nearest acquired one: the
    stack as acquired, its slices as thick as the gaps.
    """
    volume = slicer.util.arrayFromVolume(nodes.volume)
    labels = labelsOfSegmentation(nodes.segmentation, nodes.volume)
    acquired = np.array([z for z, i in enumerate(nodes.record["geometry"]["acquired"]) if i is not None])
    nearest = acquired[np.abs(np.arange(len(volume))[:, None] - acquired).argmin(1)]
    return volume[nearest], labels[nearest]


class HelperNodes:
    """The stack as acquired with its labels, and the frames of real long-axis images."""

    def __init__(self):
        self._nodes: dict[str, object] = {}

    @property
    def acquiredID(self) -> str:
        return self._nodes["acquired"].GetID()

    @property
    def labelsID(self) -> str:
        return self._nodes["labels"].GetID()

    def laxID(self, view: str) -> str | None:
        return self._nodes[view].GetID() if view in self._nodes else None

    def showAcquired(self, nodes: ResultNodes, image: np.ndarray, labels: np.ndarray) -> None:
        """Show ``image`` and ``labels`` (Z, Y, X) on the grid of the result, with its window and level."""
        grid = gridOfVolume(nodes.volume)
        acquired = self._volume("acquired", "vtkMRMLScalarVolumeNode")
        setVolume(acquired, image, grid)
        source, display = nodes.volume.GetDisplayNode(), self._display(acquired)
        display.SetAndObserveColorNodeID(source.GetColorNodeID())
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(source.GetWindow(), source.GetLevel())
        display.SetInterpolate(False)
        drawn = self._volume("labels", "vtkMRMLLabelMapVolumeNode")
        setVolume(drawn, labels, grid)
        self._display(drawn).SetAndObserveColorNodeID(self._colours().GetID())
        for node in (acquired, drawn):
            node.SetAndObserveTransformNodeID(nodes.volume.GetTransformNodeID())

    def showLax(self, view: str, image: LaxImage, frame: np.ndarray) -> None:
        """Show ``frame`` (H, W) of the real image of ``view``."""
        node = self._volume(view, "vtkMRMLScalarVolumeNode")
        plane, thickness = image.plane, np.linalg.norm(image.series.grid.step_z)
        step = plane.normal * max(thickness, 1.0)
        setVolume(node, frame[None], Grid(plane.origin, plane.step_x, plane.step_y, step, (1, *plane.shape)))
        display = self._display(node)
        display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
        low, high = np.percentile(frame, DISPLAY_PERCENTILES)
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(max(high - low, 1), (high + low) / 2)

    def remove(self) -> None:
        """Remove the nodes from the scene."""
        removeNodes(self._nodes.values())
        self._nodes.clear()

    def _volume(self, key: str, className: str):
        if key not in self._nodes or self._nodes[key].GetScene() is None:
            self._nodes[key] = addHelper(className, f"DMCVR {key}")
        return self._nodes[key]

    def _display(self, node):
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetSaveWithScene(False)
        return node.GetDisplayNode()

    def _colours(self):
        if "colours" not in self._nodes:
            node = addHelper("vtkMRMLColorTableNode", "DMCVR colours")
            node.SetTypeToUser()
            node.SetNumberOfColors(len(NAMES) + 1)
            node.SetColor(0, "background", 0, 0, 0, 0)
            for label, name in NAMES.items():
                node.SetColor(label, name, *(value / 255 for value in COLOURS[label]), 1)
            self._nodes["colours"] = node
        return self._nodes["colours"]


def addHelper(className: str, name: str):
    """A new node that is hidden, and not saved with the scene."""
    node = slicer.mrmlScene.CreateNodeByClass(className)
    node.UnRegister(None)
    node.SetName(name)
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    node.SetAttribute(RESULT_MARK, "1")
    return slicer.mrmlScene.AddNode(node)
