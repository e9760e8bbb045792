"""3D hearts from sparse cine MR stacks: the module's description, panel, logic and self test."""

import os
import unittest
from dataclasses import replace

import qt
import slicer
import vtk
from dmcvr.reconstruction.options import ModelChoice, Options
from DMCVRReconstructionLib.comparison.lax_comparison import LaxComparison
from DMCVRReconstructionLib.comparison.lax_images import LaxImage, findLaxImages, laxImage
from DMCVRReconstructionLib.comparison.layouts import registerLayouts
from DMCVRReconstructionLib.panel.input_panel import InputPanel
from DMCVRReconstructionLib.panel.parameter_node import CURRENT, DMCVRParameterNode, modelOf, optionsOf
from DMCVRReconstructionLib.panel.play_panel import PlayPanel
from DMCVRReconstructionLib.panel.result_panel import ResultPanel
from DMCVRReconstructionLib.panel.run_control import Action, RunControl
from DMCVRReconstructionLib.panel.segment_panel import SegmentPanel, imageOf
from DMCVRReconstructionLib.running.errors import InstallationError
from DMCVRReconstructionLib.running.installation import install, missing
from DMCVRReconstructionLib.running.phantom_sample import loadPhantom
from DMCVRReconstructionLib.running.reconstruction_run import RunRequest
from DMCVRReconstructionLib.running.run import Request, Run
from DMCVRReconstructionLib.running.sample_data import registerSampleData
from DMCVRReconstructionLib.running.segmentation_run import SegmentRequest
from DMCVRReconstructionLib.running.time_estimate import rememberedStepTimes
from DMCVRReconstructionLib.scene.image_series import currentFrame
from DMCVRReconstructionLib.scene.result_nodes import INPUT_ROLE, ResultNodes, resultOf
from DMCVRReconstructionLib.scene.stack_input import stackInput, suggestedInput
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

DOCUMENTATION = "https://github.com/dmcvr/DMCVR/blob/main/Resources/Documentation/SLICER.md"
NODE_EVENTS = (
    slicer.vtkMRMLScene.NodeAddedEvent,
    slicer.vtkMRMLScene.NodeRemovedEvent,
    slicer.vtkMRMLScene.EndBatchProcessEvent,
)

__all__ = [
    "DMCVRReconstruction",
    "DMCVRReconstructionLogic",
    "DMCVRReconstructionTest",
    "DMCVRReconstructionWidget",
]


class DMCVRReconstruction(ScriptedLoadableModule):
    """The module's description."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("DMCVR Reconstruction")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Cardiac")]
        parent.dependencies = ["Segmentations", "Sequences", "SubjectHierarchy", "Volumes"]
        parent.contributors = ["DMCVR contributors"]
        parent.helpText = _(
            "Reconstructs a 3D image volume and a segmentation of the heart from a sparse short-axis cine MR "
            "stack by a morphology-guided diffusion model. For research use only, not for diagnosis. "
            "The shipped weights are under CC BY-NC-SA 4.0. For more information, see the "
            "{start}documentation{end}."
        ).format(start=f'<a href="{DOCUMENTATION}">', end="</a>")
        parent.acknowledgementText = _(
            "The method was published by He et al., DMCVR: Morphology-Guided Diffusion Model for 3D Cardiac "
            "Volume Reconstruction, MICCAI 2023 ({start}arXiv:2308.09223{end})."
        ).format(start='<a href="https://arxiv.org/abs/2308.09223">', end="</a>")
        slicer.app.connect("startupCompleted()", onStartupCompleted)


def onStartupCompleted() -> None:
    """Register the sample data, the comparison's layouts and the terminology of the segments."""
    resources = os.path.join(os.path.dirname(__file__), "Resources")
    registerSampleData(os.path.join(resources, "Icons", "DMCVRPhantom.png"))
    registerLayouts()
    terms = os.path.join(resources, "Terminology", "DMCVR.term.json")
    slicer.modules.terminologies.logic().LoadTerminologyFromFile(terms)


class DMCVRReconstructionWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._missing: list[str] = []

    def setup(self) -> None:
        """Called when the user opens the module for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/DMCVRReconstruction.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = DMCVRReconstructionLogic()
        self._missing = missing()
        self.inputPanel = InputPanel(self.ui, self.updateSoon)
        self.playPanel = PlayPanel(self.ui)
        self.segmentPanel = SegmentPanel(self.ui)
        self.runControl = RunControl(self.ui, self._actions())
        self.resultPanel = ResultPanel(self.ui, self._compare, self.updateSoon)
        self.ui.installButton.connect("clicked(bool)", self._onInstall)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        # Many changes may come at once, as when a study is loaded or a result arrives.
        self._updateTimer = qt.QTimer()
        self._updateTimer.setSingleShot(True)
        self._updateTimer.setInterval(0)
        self._updateTimer.connect("timeout()", self.updateFromParameters)
        self.inputPanel.queryDevices()

    def cleanup(self) -> None:
        """Called when the application closes, or the module is reloaded."""
        self.runControl.stop()
        self.inputPanel.stop()
        self.resultPanel.release()
        self.playPanel.stop()
        self.segmentPanel.stop()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        """Called each time the user opens this module."""
        for event in NODE_EVENTS:
            self.addObserver(slicer.mrmlScene, event, self.onNodesChanged)
        self.initializeParameterNode()

    def exit(self) -> None:
        """Called when the user opens another module: restores the user's layout, and looks at nothing in the
        scene any more, so as not to slow others down. A run continues.
        """
        for event in NODE_EVENTS:
            self.removeObserver(slicer.mrmlScene, event, self.onNodesChanged)
        self.resultPanel.leave()
        self.segmentPanel.stop()
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event) -> None:
        """Cancel the run, whose scene is being closed."""
        self.runControl.cancel()
        self.resultPanel.release()
        self.playPanel.stop()
        self.segmentPanel.stop()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event) -> None:
        """Start again in the empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onNodesChanged(self, caller, event) -> None:
        """Update what was found in the scene."""
        if not slicer.mrmlScene.IsBatchProcessing():
            self.updateSoon()

    def initializeParameterNode(self) -> None:
        """Take the parameter node of the scene, and suggest an input if none is chosen yet."""
        parameterNode = self.logic.getParameterNode()
        if parameterNode.inputNode is None:
            parameterNode.inputNode = suggestedInput()
        self.setParameterNode(parameterNode)

    def setParameterNode(self, parameterNode) -> None:
        """Connect the panel to ``parameterNode``, or to none."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateSoon)
        self._parameterNode = parameterNode
        if self._parameterNode is not None:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateSoon)
            self.updateFromParameters()

    def updateSoon(self, caller=None, event=None) -> None:
        """Call ``updateFromParameters`` once the events being processed now are done."""
        self._updateTimer.start()

    def updateFromParameters(self) -> None:
        """Show what follows from the parameters, and whether a run can start."""
        if self._parameterNode is None or self.runControl.isRunning:
            return
        self.ui.installFrame.visible = bool(self._missing)
        self.ui.installLabel.text = _(
            "The reconstruction requires Python packages that Slicer does not include: {names}. They will be "
            "downloaded from the internet and installed into Slicer's Python."
        ).format(names=", ".join(self._missing))
        self.inputPanel.update(self._parameterNode)
        reason = self.inputPanel.problem
        if self._missing:
            reason = _("Install the missing Python packages first.")
        self.runControl.allow(reason, self.inputPanel.device)
        self.segmentPanel.update(self._parameterNode)
        self.playPanel.update(self._parameterNode)
        self.resultPanel.show(self._parameterNode.resultVolume)

    def _actions(self) -> list[Action]:
        return [
            Action(
                self.ui.segmentButton,
                _("Segment the acquired slices"),
                _("Segment the acquired slices, to look at them and correct them before the reconstruction"),
                self._startSegmentation,
                self._onSegmented,
            ),
            Action(
                self.ui.runButton,
                _("Reconstruct"),
                _("Reconstruct the missing slices"),
                self._startRun,
                self._onFinished,
            ),
        ]

    def _startSegmentation(self) -> Run:
        parameters = self._parameterNode
        request = SegmentRequest(parameters.inputNode, optionsOf(parameters), modelOf(parameters))
        return self.logic.start(request, rememberedStepTimes(self.inputPanel.device))

    def _onSegmented(self, segmentationNode) -> None:
        if segmentationNode is not None:
            parameters = self.logic.getParameterNode()
            parameters.labelsNode = segmentationNode
            if self.parent.isEntered:
                image = imageOf(segmentationNode, parameters.inputNode)
                slicer.util.setSliceViewerLayers(background=image, fit=True, rotateToVolumePlane=True)
        self.updateSoon()

    def _startRun(self) -> Run:
        parameters = self._parameterNode
        self.resultPanel.release()  # a new result may take the place of this one
        request = RunRequest(
            parameters.inputNode,
            optionsOf(parameters),
            modelOf(parameters),
            parameters.labelsNode,
            parameters.resultVolume if parameters.replacePrevious else None,
            tuple(laxImage(node) for node in self.inputPanel.laxNodes),
        )
        return self.logic.start(request, rememberedStepTimes(self.inputPanel.device))

    def _onFinished(self, nodes) -> None:
        if nodes is not None:
            self.logic.getParameterNode().resultVolume = nodes.volume
            if self.parent.isEntered:
                self._showResult(nodes)
        self.updateSoon()

    def _showResult(self, nodes: ResultNodes) -> None:
        """Show a new result in the views; while another module is open, they are the user's."""
        self.resultPanel.leave()
        self.segmentPanel.hideBehind(nodes)
        slicer.util.setSliceViewerLayers(background=nodes.volume, fit=True, rotateToVolumePlane=True)
        slicer.util.resetThreeDViews()

    def _compare(self, volumeNode):
        return self.logic.compare(volumeNode, self.inputPanel.laxNodes)

    def _onInstall(self, checked=False) -> None:
        try:
            install(self._missing)
        except InstallationError as error:
            self.ui.installLabel.text = str(error)
            self.ui.logText.plainText = error.detail
            return
        finally:
            self._missing = missing()
        self.updateSoon()
        self.inputPanel.queryDevices()


class DMCVRReconstructionLogic(ScriptedLoadableModuleLogic):
    """Reconstruction of a short-axis stack in the scene, and its comparison with long-axis images.

    For scripts as well as for the panel: no method asks or shows anything; each raises an error instead.
    """

    def getParameterNode(self) -> DMCVRParameterNode:
        """The panel's choices, kept in the scene."""
        return DMCVRParameterNode(super().getParameterNode())

    def reconstruct(
        self,
        inputNode,
        labelsNode=None,
        *,
        options: Options = Options(),
        model: ModelChoice = ModelChoice(),
        laxNodes: list | None = None,
        wait: bool = True,
        **changes,
    ) -> ResultNodes | Run:
        """Reconstruct the stack that ``inputNode`` is, or is a slice of.

        inputNode: volume, volume sequence, multi-volume, or one of the slices that DICOM import created.
        labelsNode: segmentation or label volume of the acquired slices, None to segment them.
        laxNodes: long-axis images, by which slices are put in register where two or more cross the stack;
            None detects them by their position and orientation.
        options: how to reconstruct. ``changes`` replace single ones:
            ``reconstruct(node, frame="es", spacing=2.0)``; here "current" is the displayed frame.
        model: which model computes, on which device.
        wait: True blocks until the ``ResultNodes`` are there; False returns the started ``Run`` at once, to
            be polled.

        Raises ``dmcvr.core.errors.InputError`` for unsuitable input or options,
        ``running.errors.WorkerError`` if the computation fails, and ``dmcvr.core.errors.CancelledError`` if
        it is cancelled.
        """
        if changes.get("frame") == CURRENT:
            changes["frame"] = currentFrame(inputNode)
        images = self.findLaxImages(inputNode) if laxNodes is None else [laxImage(node) for node in laxNodes]
        chosen = replace(options, **changes)
        run = self.start(RunRequest(inputNode, chosen, model, labelsNode, lax=tuple(images)))
        return run.wait() if wait else run

    def segment(
        self,
        inputNode,
        *,
        frame: str | int = Options().frame,
        model: ModelChoice = ModelChoice(),
        wait: bool = True,
    ):
        """Segment the acquired slices, to be corrected and then given to ``reconstruct`` as ``labelsNode``.

        frame: as in ``Options``, or "current" for the displayed frame. Returns the segmentation node, or the
        started ``Run`` at once unless ``wait``. Raises the errors of ``reconstruct``.
        """
        chosen = currentFrame(inputNode) if frame == CURRENT else frame
        run = self.start(SegmentRequest(inputNode, Options(frame=chosen), model))
        return run.wait() if wait else run

    def start(self, request: Request, stepTimes: dict[str, float] | None = None) -> Run:
        """Start a computation and return at once; see ``Run``, which raises the same errors."""
        run = Run(request, stepTimes)
        run.start()
        return run

    def findLaxImages(self, inputNode) -> list[LaxImage]:
        """The images in the scene that may be long-axis views of the heart in ``inputNode``."""
        return findLaxImages(stackInput(inputNode))

    def compare(self, volumeNode, laxNodes: list | None = None) -> LaxComparison:
        """The comparison of the result that ``volumeNode`` is part of; its ``enter`` shows it.

        laxNodes: the long-axis images; None detects them by their position and orientation.
        """
        nodes = resultOf(volumeNode)
        if nodes is None:
            raise ValueError("the node is no part of a reconstruction")
        if laxNodes is None:
            inputNode = nodes.table.GetNodeReference(INPUT_ROLE)
            images = self.findLaxImages(inputNode) if inputNode is not None else []
        else:
            images = [laxImage(node) for node in laxNodes]
        return LaxComparison(nodes, images)


class DMCVRReconstructionTest(ScriptedLoadableModuleTest):
    """The self test: the phantom, reconstructed by interpolation from its own labels, and compared."""

    def setUp(self) -> None:
        """Start from an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        """Run the test, as the developer's buttons of the panel do; a reason to skip it is shown."""
        self.setUp()
        try:
            self.test_Phantom()
        except unittest.SkipTest as reason:
            self.delayDisplay(str(reason))

    def test_Phantom(self) -> None:
        """From sample data to scores on the long-axis views, through the real process."""
        if names := missing():
            self.skipTest(_("Python packages are not installed: {names}").format(names=", ".join(names)))
        self.delayDisplay(_("Making the phantom"))
        stack = loadPhantom(frames=1)[0]
        labels = slicer.util.getNode(f"{stack.GetName()} labels")
        logic = DMCVRReconstructionLogic()
        self.delayDisplay(_("Reconstructing"))
        nodes = logic.reconstruct(stack, labelsNode=labels, method="shape", frame=0, spacing=2.5)
        assert nodes.segmentation.GetSegmentation().GetNumberOfSegments() == 3
        scores = logic.compare(nodes.volume).scores()
        assert {score.view for score in scores} == {"2ch", "3ch", "4ch"}
        assert all(score.dice > 0.6 for score in scores)
        self.delayDisplay(_("Test passed"))
