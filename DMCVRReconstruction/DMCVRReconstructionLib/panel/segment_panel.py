"""The part of the panel on the acquired slices' segmentation: what it shows, and the way to correct it."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from ..scene.acquired_segmentation import ends
from ..scene.image_series import browserAndSequence
from ..scene.result_nodes import ResultNodes
from ..scene.volume_nodes import gridOfVolume, pointsToWorld
from .parameter_node import DMCVRParameterNode

WAIT_MS = 200  # until a stroke of the brush, or playing, is over


class SegmentPanel:
    """Tells which slices are base and apex, and opens Segment Editor. ui: the panel's widgets."""

    def __init__(self, ui):
        self._ui = ui
        self._node, self._volume = None, None
        self._ends: tuple[int, int] | None = None
        self._tag = 0
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.connect("timeout()", self._show)
        ui.editButton.connect("clicked(bool)", self._onEdit)
        ui.baseButton.connect("clicked(bool)", lambda checked=False: self._jump(0))
        ui.apexButton.connect("clicked(bool)", lambda checked=False: self._jump(1))

    def update(self, parameters: DMCVRParameterNode) -> None:
        """Show what the chosen segmentation holds in the displayed frame."""
        node = parameters.labelsNode
        isSegmentation = node is not None and node.IsA("vtkMRMLSegmentationNode")
        self._observe(node if isSegmentation else None)
        self._volume = imageOf(self._node, parameters.inputNode) if isSegmentation else None
        self._show()

    def hideBehind(self, nodes: ResultNodes) -> None:
        """Hide what is drawn in the acquired slices, as it would be in the way over a result; unless the
        result was made from an earlier one's segmentation, and has taken its place.
        """
        if self._node is not nodes.segmentation:
            self._setVisible(False)

    def _setVisible(self, visible: bool) -> None:
        if self._node is not None and self._node.GetDisplayNode() is not None:
            self._node.GetDisplayNode().SetVisibility(visible)

    def stop(self) -> None:
        """Observe nothing any more."""
        self._timer.stop()
        self._observe(None)

    def _observe(self, node) -> None:
        if self._node is node:
            return
        if self._node is not None:
            self._node.RemoveObserver(self._tag)
        self._node = node
        if node is not None:
            # A change of frame and an edit both change the source of the segmentation.
            self._tag = node.AddObserver(
                slicer.vtkSegmentation.SourceRepresentationModified, lambda caller, event: self._timer.start()
            )

    def _show(self) -> None:
        isThere = self._volume is not None and self._volume.GetImageData() is not None
        self._ends = ends(self._node, self._volume) if isThere else None
        self._ui.editButton.enabled = self._node is not None
        for name in ("baseButton", "apexButton"):
            getattr(self._ui, name).visible = self._ends is not None
        self._ui.slicesLabel.text = self._describe()
        self._ui.slicesLabel.visible = bool(self._ui.slicesLabel.text)

    def _describe(self) -> str:
        if self._ends is None:
            if self._node is None or self._volume is None:
                return ""
            return _("No left ventricle is drawn in the displayed frame.")
        base, apex = self._ends
        count = self._volume.GetImageData().GetDimensions()[2]
        return _(
            "Displayed frame: left ventricle from slice {base} (base) to slice {apex} (apex) of {count}. "
            "Look at both ends: erase what is drawn in a slice to leave it out, draw in the next to include "
            "it."
        ).format(base=base + 1, apex=apex + 1, count=count)

    def _onEdit(self, checked=False) -> None:
        node, volume = self._node, self._volume  # leaving this module lets go of them
        self._setVisible(True)
        slicer.util.setSliceViewerLayers(background=volume, fit=True, rotateToVolumePlane=True)
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        editor.setSegmentationNode(node)
        editor.setSourceVolumeNode(volume)

    def _jump(self, end: int) -> None:
        """Show the basal (0) or the apical slice (1) in the slice views."""
        grid = gridOfVolume(self._volume)
        middle = grid.position([self._ends[end], (grid.shape[1] - 1) / 2, (grid.shape[2] - 1) / 2])
        x, y, z = pointsToWorld(self._volume, middle[None])[0]
        slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, -x, -y, z)


def imageOf(segmentationNode, inputNode):
    """The image that ``segmentationNode`` is drawn on; None where it has no voxels to show."""
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    image = segmentationNode.GetNodeReference(role) or inputNode
    if image is not None and not image.IsA("vtkMRMLVolumeNode"):
        browserNode, sequenceNode = browserAndSequence(image)
        image = browserNode.GetProxyNode(sequenceNode) if browserNode is not None else None
    return image if image is not None and image.GetImageData() is not None else None
