"""End-diastole and end-systole side by side, drawn by Slicer's displayable managers."""

import numpy as np
import pytest
import slicer
from dmcvr.core.errors import InputError
from DMCVRReconstructionLib.comparison.layouts import layoutNode
from DMCVRReconstructionLib.comparison.phase_layout import IN_3D, LAX, SAX, phaseView
from DMCVRReconstructionLib.comparison.side_by_side import SideBySide
from DMCVRReconstructionLib.scene.stack_input import RESULT_MARK
from DMCVRReconstructionLib.scene.wall_nodes import framesToMeasure, measureWall, showWall


def nodeIDs(application):
    return {application.scene.GetNthNode(k).GetID() for k in range(application.scene.GetNumberOfNodes())}


def brightness(views, name):
    return views.render([name]).astype(float)


def test_each_column_shows_its_phase(views, imported, cine):
    nodes = imported(cine)
    before = layoutNode().GetViewArrangement()
    shown = SideBySide(nodes)
    shown.enter()
    pictures = {(phase, kind): brightness(views, phaseView(phase, kind))
                for phase in ("ED", "ES") for kind in (SAX, LAX, IN_3D)}  # fmt: skip
    for kind in (SAX, LAX, IN_3D):
        assert pictures["ED", kind].std() > 5  # something is drawn
        assert np.abs(pictures["ED", kind] - pictures["ES", kind]).mean() > 1
    shown.leave()
    assert layoutNode().GetViewArrangement() == before
    assert nodes.segmentation.GetDisplayNode().GetNumberOfViewNodeIDs() == 0


def test_leaving_removes_what_was_added(views, application, imported, cine):
    nodes = imported(cine)
    shown = SideBySide(nodes)
    shown.enter()
    shown.leave()
    before = nodeIDs(application)
    shown = SideBySide(nodes)
    shown.enter()
    assert nodeIDs(application) > before
    shown.leave()
    assert nodeIDs(application) == before


def test_a_single_frame_has_no_second_phase(imported, still):
    with pytest.raises(InputError, match="end-systole"):
        SideBySide(imported(still))


@pytest.mark.slow
def test_a_scene_saved_meanwhile_opens_whole(views, imported, cine, reopened):
    nodes = imported(cine)
    before = layoutNode().GetViewArrangement()
    SideBySide(nodes).enter()
    with reopened() as other:
        assert layoutNode().GetViewArrangement() in (before, 0)
        names = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")]
        assert not any(name.endswith(" ES") for name in names)
        display = other.scene.GetFirstNodeByName(nodes.segmentation.GetName()).GetDisplayNode()
        red = other.scene.GetNodeByID("vtkMRMLSliceNodeRed")
        assert red is None or display.IsDisplayableInView(red.GetID())


def test_the_walls_thickness_is_shown_in_each_phase(views, application, imported, cine):
    nodes = imported(cine)
    showWall(nodes, True)
    while left := framesToMeasure(nodes):
        for _ in measureWall(nodes, left[0]):
            pass
    shown = SideBySide(nodes)
    shown.enter()
    shown.leave()
    before = nodeIDs(application)
    shown = SideBySide(nodes)
    shown.enter()
    walls = [
        node for node in slicer.util.getNodesByClass("vtkMRMLModelNode") if node.GetAttribute(RESULT_MARK)
    ]
    for phase in ("ED", "ES"):
        view = slicer.mrmlScene.GetSingletonNode(phaseView(phase, IN_3D), "vtkMRMLViewNode")
        inView = [node for node in walls if node.GetDisplayNode().GetVisibility(view.GetID())]
        assert len(inView) == 1
        assert (inView[0] is nodes.wall) == (phase == "ED")
    shown.leave()
    assert nodeIDs(application) == before
    assert nodes.wall.GetDisplayNode().GetNumberOfViewNodeIDs() == 0
