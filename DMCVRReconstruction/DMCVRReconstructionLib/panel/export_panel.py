"""The part of the panel on taking a result away: the report, and the files that Slicer writes."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from ..running.worker import PREFIX
from ..scene.export import SURFACES, exportNIfTI, exportSurfaces, writeReport
from ..scene.result_nodes import ResultNodes
from ..scene.volume_rendering import isShown, showVolumeRendering


class ExportPanel:
    """Opens the report and writes files. ui: the panel's widgets."""

    def __init__(self, ui):
        self._ui = ui
        self._nodes: ResultNodes | None = None
        ui.reportButton.connect("clicked(bool)", self._onReport)
        ui.renderingButton.connect("toggled(bool)", self._onRendering)
        ui.dicomButton.connect("clicked(bool)", self._onDICOM)
        ui.niftiButton.connect("clicked(bool)", lambda checked=False: self._onFiles(exportNIfTI))
        for button, kind in zip((ui.stlButton, ui.objButton), SURFACES, strict=True):
            button.connect("clicked(bool)", lambda checked=False, kind=kind: self._onSurfaces(kind))

    def show(self, nodes: ResultNodes | None) -> None:
        """Offer what there is of ``nodes``, or nothing."""
        self._nodes = nodes
        self._ui.reportButton.visible = nodes is not None and nodes.report is not None
        self._ui.exportFrame.visible = nodes is not None
        self._ui.renderingButton.visible = nodes is not None
        self._ui.renderingButton.checked = nodes is not None and isShown(nodes.volume)

    def _onReport(self, checked=False) -> None:
        with slicer.util.tryWithErrorDisplay(_("The report cannot be opened.")):
            path = writeReport(self._nodes, PREFIX)
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))

    def _onRendering(self, checked: bool) -> None:
        if self._nodes is not None:
            showVolumeRendering(self._nodes.volume, checked)

    def _onDICOM(self, checked=False) -> None:
        hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
        dialog = slicer.qSlicerDICOMExportDialog(None)
        dialog.setMRMLScene(slicer.mrmlScene)
        dialog.execDialog(hierarchy.GetItemByDataNode(self._nodes.segmentation))

    def _onSurfaces(self, kind: str) -> None:
        self._onFiles(lambda nodes, folder: exportSurfaces(nodes, folder, kind))

    def _onFiles(self, write) -> None:
        folder = _askForFolder()
        if folder is not None:
            with slicer.util.tryWithErrorDisplay(_("The files cannot be written."), waitCursor=True):
                write(self._nodes, folder)


def _askForFolder() -> Path | None:
    chosen = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the files"))
    return Path(chosen) if chosen else None
