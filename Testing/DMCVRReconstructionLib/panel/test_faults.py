"""What the user may do to the scene behind the panel's back."""

import numpy as np
import pytest
import slicer
import vtk
from dmcvr.core.labels import LVC
from DMCVRReconstructionLib.scene.segmentation_nodes import fillSegmentation
from DMCVRReconstructionLib.scene.volume_nodes import gridOfVolume


@pytest.fixture
def shown(panel, destination, imported, cine):
    """The panel with the phantom and the result of its frames: panel, result."""
    parameters = panel.widget._parameterNode
    parameters.inputNode = destination[0][2]
    nodes = imported(cine)
    parameters.resultVolume = nodes.volume
    panel.process()
    return panel, nodes


def bent(application):
    """A transform that is not linear."""
    splines = vtk.vtkThinPlateSplineTransform()
    splines.SetBasisToR()
    for kind in ("Source", "Target"):
        points = vtk.vtkPoints()
        for point in (
            (0, 0, 0),
            (90, 0, 0),
            (0, 90, 0),
            (0, 0, 90),
            (40, 40, 40 if kind == "Source" else 50),
        ):
            points.InsertNextPoint(point)
        getattr(splines, f"Set{kind}Landmarks")(points)
    node = application.scene.AddNewNodeByClass("vtkMRMLTransformNode", "bent")
    node.SetAndObserveTransformToParent(splines)
    return node


def test_a_result_below_a_bending_transform_is_explained(shown, application):
    panel, nodes = shown
    nodes.volume.SetAndObserveTransformNodeID(bent(application).GetID())
    panel.widget.updateFromParameters()
    assert panel.ui.runButton.enabled
    panel.ui.compareButton.click()
    assert not panel.ui.compareButton.checked
    assert "rigid" in panel.ui.viewsLabel.text or "rigid" in application.app.errors[-1]
    panel.ui.phasesButton.click()
    assert not panel.ui.phasesButton.checked
    assert "rigid" in application.app.errors[-1]


def test_a_result_made_from_an_earlier_results_segmentation_is_seen(shown):
    panel, nodes = shown
    panel.widget._parameterNode.labelsNode = nodes.segmentation
    panel.process()
    panel.widget._onFinished(nodes)
    panel.process()
    assert nodes.segmentation.GetDisplayNode().GetVisibility()


def test_what_came_in_one_batch_is_noticed(panel, application, addVolume, oblique):
    scene = application.scene
    scene.StartState(slicer.vtkMRMLScene.BatchProcessState)
    updates = []
    update = panel.widget.inputPanel.update
    panel.widget.inputPanel.update = lambda parameters: (updates.append(1), update(parameters))
    addVolume("one of many", np.zeros(oblique.shape, np.float32), oblique)
    panel.process(0.05)
    assert updates == []
    scene.EndState(slicer.vtkMRMLScene.BatchProcessState)
    panel.process(0.05)
    assert updates


def test_an_edit_after_the_browser_was_removed_is_no_fault(shown, application, cine, capfd):
    panel, nodes = shown
    panel.exit()
    application.scene.RemoveNode(nodes.browser)
    labels = cine.labels[0].copy()
    labels[labels == LVC] = 0
    fillSegmentation(nodes.segmentation, labels, gridOfVolume(nodes.volume), nodes.volume)
    panel.process(0.5)
    assert "Traceback" not in capfd.readouterr().err
