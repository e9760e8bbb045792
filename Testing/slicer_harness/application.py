"""A MRML scene with the logics that Slicer sets up when it starts."""

from __future__ import annotations

import gc
import sys
import tempfile
from types import SimpleNamespace

import slicer
import slicer.util
import vtk


class App:
    """``slicer.app``.

    errors: what would have been shown in a message box, whole. messages: what a self test shows in passing.
    toolBarBrowsers: the browsers that the toolbar for sequences was put on.
    """

    applicationName = "Slicer"

    def __init__(self, logic):
        self._logic = logic
        self.errors: list[str] = []
        self.messages: list[str] = []
        self.toolBarBrowsers: list = []

    def applicationLogic(self):
        return self._logic

    def layoutManager(self):
        return self

    def mrmlSliceLogics(self):
        return self._logic.GetSliceLogics()

    def sliceViewNames(self) -> list[str]:
        return [node.GetLayoutName() for node in slicer.util.getNodesByClass("vtkMRMLSliceNode")]

    def sliceWidget(self, name: str):
        node = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceNode")
        return SimpleNamespace(mrmlSliceNode=lambda: node)

    def resetThreeDViews(self) -> None:
        """No camera to reset."""

    def connect(self, signal, call) -> None:
        """Slicer has started long ago."""

    def processEvents(self, flags=None) -> None:
        """Let the windows live, if there are any."""
        if (core := sys.modules.get("PySide6.QtWidgets")) and core.QApplication.instance():
            core.QApplication.processEvents()

    def setOverrideCursor(self, cursor) -> None:
        """No cursor."""

    def restoreOverrideCursor(self) -> None:
        """No cursor."""

    def testingEnabled(self) -> bool:
        return False

    def translate(self, context, text):
        return text

    def moduleManager(self):
        return self

    def userSettings(self):
        return sys.modules["qt"].QSettings()


class Application:
    """One scene and its logics, which ``slicer.mrmlScene`` and ``slicer.modules`` then name.

    Read and written scenes unpack below ``folder``.
    """

    def __init__(self, folder: str | None = None):
        self.scene = slicer.vtkMRMLScene()
        self.logic = slicer.vtkSlicerApplicationLogic()
        self.app = App(self.logic)
        self.logic.SetMRMLScene(self.scene)
        self.logic.GetColorLogic().SetMRMLScene(self.scene)
        self.logic.GetColorLogic().AddDefaultColorNodes()
        self.logic.SetSliceLogics(vtk.vtkCollection())
        self.logic.SetViewLogics(vtk.vtkCollection())
        # Segmentations first: it registers the nodes that the others look for.
        self.modules = {
            "Segmentations": slicer.vtkSlicerSegmentationsModuleLogic(),
            "Volumes": slicer.vtkSlicerVolumesLogic(),
            "Markups": slicer.vtkSlicerMarkupsLogic(),
            "Sequences": slicer.vtkSlicerSequencesLogic(),
            "SubjectHierarchy": slicer.vtkSlicerSubjectHierarchyModuleLogic(),
            "VolumeRendering": slicer.vtkSlicerVolumeRenderingLogic(),
        }
        for name, logic in self.modules.items():
            logic.SetMRMLApplicationLogic(self.logic)
            logic.SetMRMLScene(self.scene)
            self.logic.SetModuleLogic(name, logic)
        # Of this one only what needs no scene: given one, it looks for Slicer's own files of colours.
        self.modules["Colors"] = slicer.vtkSlicerColorLogic()
        self.scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
        self._tags = [
            self.scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, self._onNodeAdded),
            self.scene.AddObserver(slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self._onNodeRemoved),
        ]
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        self.scene.AddNode(crosshair)
        layout = slicer.vtkMRMLLayoutNode()
        self.scene.AddNode(layout)
        # Reading an .mrb needs a folder to unpack into.
        self.remote = slicer.vtkMRMLRemoteIOLogic()
        self.remote.SetMRMLApplicationLogic(self.logic)
        self.remote.SetMRMLScene(self.scene)
        self.remote.GetCacheManager().SetRemoteCacheDirectory(folder or tempfile.mkdtemp(prefix="slicer-"))
        self.remote.AddDataIOToScene()
        self.use()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, scene, event, node) -> None:
        """List data in the subject hierarchy, as Slicer's plugins do."""
        kinds = ("Volume", "Segmentation", "Model", "Table", "PlotChart", "Transform", "Sequence")
        kinds += ("SequenceBrowser",)
        hierarchy = scene.GetSubjectHierarchyNode()
        # A scene that is being read brings its own list.
        if hierarchy is None or scene.IsBatchProcessing() or node.GetHideFromEditors():
            return
        if any(node.IsA(f"vtkMRML{kind}Node") for kind in kinds):
            hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeRemoved(self, scene, event, node) -> None:
        hierarchy = scene.GetSubjectHierarchyNode()
        if hierarchy is not None and (item := hierarchy.GetItemByDataNode(node)):
            hierarchy.RemoveItem(item, False, False)

    def use(self) -> None:
        """Make this the scene and these the logics that modules find."""
        slicer.mrmlScene = self.scene
        slicer.app = self.app
        slicer.util.errorDisplay = lambda text, **_: self.app.errors.append(text)
        slicer.util.delayDisplay = lambda text, *_, **__: self.app.messages.append(text)
        slicer.modules = SimpleNamespace(
            **{
                name.lower(): SimpleNamespace(logic=lambda logic=logic: logic)
                for name, logic in self.modules.items()
            }
        )
        slicer.modules.sequences.setToolBarActiveBrowserNode = self.app.toolBarBrowsers.append

    def close(self) -> None:
        """Empty the scene, as closing Slicer does, and let nothing outlive it that would still look at it."""
        self.scene.Clear(1)
        for tag in self._tags:
            self.scene.RemoveObserver(tag)
        gc.collect()
