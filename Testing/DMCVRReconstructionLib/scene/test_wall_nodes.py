"""The wall's thickness on the myocardium's surface."""

import time

import numpy as np
import pytest
import slicer
import vtk
from dmcvr.anatomy.segments17 import wall_thickness
from dmcvr.core.labels import LVC, LVM, NAMES
from DMCVRReconstructionLib.scene.edited_volumes import measureAnew
from DMCVRReconstructionLib.scene.result_nodes import removeResult, resultOf
from DMCVRReconstructionLib.scene.segmentation_nodes import fillSegmentation
from DMCVRReconstructionLib.scene.volume_nodes import gridOfVolume
from DMCVRReconstructionLib.scene.wall_nodes import (
    COLOURS_NAME,
    THICKNESS,
    framesToMeasure,
    isWallShown,
    measureWall,
    showWall,
)
from vtk.util.numpy_support import vtk_to_numpy


def measureAll(nodes):
    while left := framesToMeasure(nodes):
        for _ in measureWall(nodes, left[0]):
            pass


def thickness(nodes):
    return vtk_to_numpy(nodes.wall.GetPolyData().GetPointData().GetArray(THICKNESS))


def myocardiumIsShown(nodes):
    return bool(nodes.segmentation.GetDisplayNode().GetSegmentVisibility3D(NAMES[LVM]))


def inScene(application):
    return {application.scene.GetNthNode(k).GetID() for k in range(application.scene.GetNumberOfNodes())}


def test_the_surface_tells_the_wall_that_the_record_does(imported, still):
    nodes = imported(still)
    showWall(nodes, True)
    measureAll(nodes)
    values = thickness(nodes)
    surface = vtk.vtkPolyData()
    assert nodes.segmentation.GetClosedSurfaceRepresentation(NAMES[LVM], surface)
    assert surface.GetNumberOfPoints() == len(values)
    known = [mm for mm in wall_thickness(still.labels[0], still.grid) if mm is not None]
    measured = values[values > 0]
    assert len(measured) > 0.8 * len(values)
    assert measured.mean() == pytest.approx(np.mean(known), abs=0.6)
    assert measured.min() > min(known) - 3
    assert measured.max() < max(known) + 3


def test_what_is_not_measured_is_the_rim_at_the_base(imported, still):
    nodes = imported(still)
    showWall(nodes, True)
    measureAll(nodes)
    points = vtk_to_numpy(nodes.wall.GetPolyData().GetPoints().GetData()) * [-1, -1, 1]
    axis = nodes.longAxis
    depth = (points - axis.centre) @ axis.apex
    rim = thickness(nodes) == 0
    assert rim.any()
    assert depth[rim].max() < np.quantile(depth, 0.4)


def test_colours_are_in_mm_with_a_legend_and_take_the_place_of_the_segment(imported, still):
    nodes = imported(still)
    assert myocardiumIsShown(nodes)
    showWall(nodes, True)
    measureAll(nodes)
    display = nodes.wall.GetDisplayNode()
    assert display.GetActiveScalarName() == THICKNESS
    assert display.GetScalarVisibility()
    assert display.GetScalarRange() == (0.0, 16.0)
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(display)
    assert legend.GetVisibility()
    assert not legend.GetVisibility2D()
    assert "mm" in legend.GetTitleText()
    assert not myocardiumIsShown(nodes)
    showWall(nodes, False)
    assert not isWallShown(nodes)
    assert myocardiumIsShown(nodes)


def test_a_myocardium_that_the_user_hides_stays_hidden(imported, still):
    nodes = imported(still)
    nodes.segmentation.GetDisplayNode().SetSegmentVisibility3D(NAMES[LVM], False)
    showWall(nodes, True)
    showWall(nodes, False)
    assert not myocardiumIsShown(nodes)


def test_it_follows_the_frames_of_a_cine(imported, cine):
    nodes = imported(cine)
    showWall(nodes, True)
    ed, es = nodes.record["ed"], nodes.record["es"]
    assert framesToMeasure(nodes)[:2] == [ed, es]
    measureAll(nodes)
    means = {}
    for frame in (ed, es, ed):
        nodes.showFrame(frame)
        values = thickness(nodes)
        means[frame] = values[values > 0].mean()
        assert nodes.wall.GetAttribute("DMCVR.Method") == "shape"
    assert means[es] > means[ed] + 1.5  # the wall thickens
    found = resultOf(nodes.wall)
    assert found.wall is nodes.wall
    assert found.volume is nodes.volume


def test_an_edit_is_measured_anew(imported, cine):
    nodes = imported(cine)
    showWall(nodes, True)
    measureAll(nodes)
    frame = nodes.frame
    before = thickness(nodes)
    thicker = cine.labels[frame].copy()
    eroded = thicker == LVC
    for axis in (1, 2):
        eroded &= np.roll(eroded, 1, axis) & np.roll(eroded, -1, axis)
    thicker[(thicker == LVC) & ~eroded] = LVM
    fillSegmentation(nodes.segmentation, thicker, gridOfVolume(nodes.volume), nodes.volume)
    assert framesToMeasure(nodes) == []
    measureAnew(nodes, [frame])
    assert framesToMeasure(nodes) == [frame]
    measureAll(nodes)
    after = thickness(nodes)
    assert after[after > 0].mean() > before[before > 0].mean() + 1.0


def test_replacing_or_removing_a_result_takes_its_wall_along(application, imported, still, cine):
    before = inScene(application)
    nodes = imported(cine)
    showWall(nodes, True)
    measureAll(nodes)
    again = imported(cine, replaceID=nodes.volume.GetID())
    assert again.wall is None
    assert myocardiumIsShown(again)
    showWall(again, True)
    removeResult(again)
    left = {application.scene.GetNodeByID(nodeID).GetName() for nodeID in inScene(application) - before}
    assert left == {COLOURS_NAME}  # for other results


def test_a_model_that_was_removed_comes_again(application, imported, cine):
    nodes = imported(cine)
    showWall(nodes, True)
    measureAll(nodes)
    application.scene.RemoveNode(nodes.wall)
    back = resultOf(nodes.volume)
    assert back.wall is None
    showWall(back, True)
    measureAll(back)
    assert thickness(back).any()
    models = slicer.util.getNodesByClass("vtkMRMLModelNode")
    assert [node for node in models if "wall" in node.GetName()] == [back.wall]


def test_no_part_takes_long(imported, cine):
    nodes = imported(cine)
    showWall(nodes, True)
    parts, seconds = measureWall(nodes, nodes.frame), []
    going = True
    while going:
        started = time.thread_time()
        going = next(parts, "over") != "over"
        seconds.append(time.thread_time() - started)
    print(f"{1000 * max(seconds):.0f} ms at most, {1000 * sum(seconds):.0f} ms in all")
    assert max(seconds) < 0.1


def test_under_a_parent_transform_it_lies_on_the_heart(application, imported, still):
    parent = application.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    matrix = np.eye(4)
    matrix[:3, 3] = 30, -20, 10
    parent.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    nodes = imported(still, transformID=parent.GetID())
    showWall(nodes, True)
    measureAll(nodes)
    world, surface = np.zeros(6), np.zeros(6)
    nodes.wall.GetRASBounds(world)
    nodes.segmentation.GetRASBounds(surface)
    assert (world[::2] > surface[::2] - 1).all()
    assert (world[1::2] < surface[1::2] + 1).all()


@pytest.mark.slow
def test_a_saved_scene_shows_it_again(imported, cine, reopened):
    nodes = imported(cine)
    showWall(nodes, True)
    measureAll(nodes)
    expected = thickness(nodes).copy()
    with reopened() as other:
        back = resultOf(other.scene.GetFirstNodeByName(nodes.volume.GetName()))
        assert isWallShown(back)
        assert framesToMeasure(back) == []
        np.testing.assert_allclose(thickness(back), expected, atol=1e-5)
        display = back.wall.GetDisplayNode()
        colour = np.zeros(4)
        display.GetColorNode().GetColor(0, colour)
        np.testing.assert_allclose(colour[:3], 0.65, atol=0.01)
        assert slicer.modules.colors.logic().GetColorLegendDisplayNode(display).GetVisibility()
        showWall(back, False)
        assert myocardiumIsShown(back)
