from dataclasses import replace

import numpy as np
import pytest
import slicer
import vtk
from dmcvr.core.labels import COLOURS, LVM, NAMES
from DMCVRReconstructionLib.scene.result_nodes import INPUT_ROLE, importResult, removeResult, resultOf
from DMCVRReconstructionLib.scene.segmentation_nodes import labelsOfSegmentation
from DMCVRReconstructionLib.scene.stack_input import RESULT_MARK
from DMCVRReconstructionLib.scene.volume_nodes import gridOfVolume


def labelsOf(nodes):
    return labelsOfSegmentation(nodes.segmentation, nodes.volume)


def inScene(application):
    """The IDs of all nodes but the subject hierarchy's, whose items follow the nodes."""
    nodes = [application.scene.GetNthNode(k) for k in range(application.scene.GetNumberOfNodes())]
    return {node.GetID() for node in nodes}


def test_image_and_segments_lie_where_the_reconstruction_does(imported, still):
    nodes = imported(still)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(nodes.volume), still.volume[0])
    np.testing.assert_allclose(gridOfVolume(nodes.volume).affine, still.grid.affine, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(labelsOf(nodes), still.labels[0])
    assert nodes.browser is None
    assert nodes.chart is None


def test_segments_are_named_coloured_coded_and_shown_in_3d(imported, still):
    segmentation = imported(still).segmentation
    for index, (label, name) in enumerate(NAMES.items()):
        segment = segmentation.GetSegmentation().GetNthSegment(index)
        assert segment.GetName() == name
        assert [round(255 * value) for value in segment.GetColor()] == list(COLOURS[label])
        tag = vtk.reference("")
        assert segment.GetTag(segment.GetTerminologyEntryTagName(), tag)
        code = {"LVC": "87878005", "LVM": "74281007", "RVC": "53085002"}[name]
        assert f"SCT^{code}" in tag
    assert segmentation.GetSegmentation().ContainsRepresentation("Closed surface")
    display = segmentation.GetDisplayNode()
    assert display.GetVisibility3D()
    assert display.GetSegmentOpacity3D(NAMES[LVM]) < display.GetSegmentOpacity3D("LVC")


def test_surfaces_enclose_what_the_labels_do(imported, still):
    nodes = imported(still)
    for label, name in NAMES.items():
        surface = vtk.vtkPolyData()
        assert nodes.segmentation.GetClosedSurfaceRepresentation(name, surface)
        measure = vtk.vtkMassProperties()
        measure.SetInputData(surface)
        voxels = np.count_nonzero(still.labels[0] == label) * still.grid.voxel_ml
        assert measure.GetVolume() / 1000 == pytest.approx(voxels, rel=0.08)


def test_the_result_stands_under_the_inputs_study_and_transform(application, destination, imported, still):
    (_, _, shown), _ = destination
    hierarchy = application.scene.GetSubjectHierarchyNode()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(shown), study)
    parent = application.scene.AddNewNodeByClass("vtkMRMLTransformNode", "moved")
    nodes = imported(still, transformID=parent.GetID())
    assert {node.GetTransformNodeID() for node in (nodes.volume, nodes.segmentation)} == {parent.GetID()}
    items = [hierarchy.GetItemByDataNode(node) for node in nodes.nodes()]
    assert {hierarchy.GetItemParent(item) for item in items} == {study}
    assert nodes.table.GetNodeReference(INPUT_ROLE) is shown


def test_the_table_has_volumes_mass_and_function(imported, still, cine):
    rows = {}
    for kind, files in (("still", still), ("cine", cine)):
        table = imported(files).table
        count = table.GetNumberOfRows()
        rows[kind] = {
            table.GetCellText(k, 0): [table.GetCellText(k, c) for c in (1, 2, 3)] for k in range(count)
        }
    volumes = still.record["volumes"][0]
    assert rows["still"]["LV cavity"][0] == f"{volumes['LVC']:.1f}"
    assert rows["still"]["LV mass"][::2] == [f"{1.05 * volumes['LVM']:.1f}", "g"]
    ours, acquired, unit = rows["cine"]["LV ejection fraction"]
    assert unit == "%"
    assert float(ours) == pytest.approx(cine.record["ef"], abs=0.06)
    assert float(acquired) == pytest.approx(cine.record["cycle"]["ef_percent"], abs=0.06)


def test_a_cine_plays_image_and_segments_together(application, imported, cine, phantom):
    nodes = imported(cine)
    sequences = application.modules["Sequences"]
    for frame in (2, 0, 1):
        nodes.browser.SetSelectedItemNumber(frame)
        sequences.UpdateProxyNodesFromSequences(nodes.browser)
        assert nodes.frame == frame
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(nodes.volume), cine.volume[frame])
        np.testing.assert_array_equal(labelsOf(nodes), cine.labels[frame])
        assert nodes.segmentation.GetSegmentation().ContainsRepresentation("Closed surface")
    times = [float(nodes.volumeSequence.GetNthIndexValue(k)) for k in range(3)]
    np.testing.assert_allclose(times, phantom.sax.times, rtol=1e-5)
    assert nodes.volumeSequence.GetIndexUnit() == "ms"
    curve = [slicer.util.arrayFromTableColumn(nodes.curve, f"{n} (ml)") for n in ("LVC", "RVC")]
    np.testing.assert_allclose(curve[0], [v["LVC"] for v in cine.record["volumes"]])
    assert nodes.chart.GetNumberOfPlotSeriesNodes() == 2
    for node in nodes.nodes():
        assert node.GetAttribute("DMCVR.Method") == "shape"
    names = {nodes.volume.GetName(), nodes.segmentation.GetName()}
    assert names == {"SAX DMCVR volume", "SAX DMCVR segmentation"}


def test_how_it_was_made_is_told_by_every_node(imported, still):
    nodes = imported(still)
    for node in nodes.nodes():
        assert node.GetAttribute("DMCVR.Method") == "shape"
        assert node.GetAttribute("DMCVR.Notice").startswith("For research use only")
        assert node.GetAttribute(RESULT_MARK)
    assert nodes.record.items() >= {**still.record, "input": nodes.record["input"]}.items()
    axis = nodes.longAxis
    np.testing.assert_allclose(axis.centre, still.record["long_axis"][0]["centre"])


def test_running_again_updates_or_adds(application, imported, still, cine):
    first = imported(still)
    second = imported(still)
    assert second.volume.GetName() == "SAX DMCVR volume_1"
    first.volume.GetDisplayNode().SetAutoWindowLevel(False)
    first.volume.GetDisplayNode().SetWindowLevel(11, 7)
    removeResult(second)
    before = inScene(application)
    brighter = replace(still, volume=still.volume + 1)
    again = imported(brighter, replaceID=first.volume.GetID())
    assert again.volume is first.volume
    assert inScene(application) == before
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(again.volume), brighter.volume[0])
    assert again.volume.GetDisplayNode().GetWindow() == 11
    # A cine in place of a frame, and back.
    played = imported(cine, replaceID=first.volume.GetID())
    assert played.volume is first.volume
    assert played.browser.GetNumberOfItems() == 3
    back = imported(still, replaceID=first.volume.GetID())
    assert resultOf(back.volume).browser is None
    assert inScene(application) == before


def test_removing_a_result_leaves_nothing_of_it(application, destination, imported, cine):
    from DMCVRReconstructionLib.scene.volume_rendering import showVolumeRendering

    before = inScene(application)
    nodes = imported(replace(cine, report="<p>A report.</p>"))
    showVolumeRendering(nodes.volume, True)
    removeResult(nodes)
    left = [application.scene.GetNodeByID(nodeID).GetClassName() for nodeID in inScene(application) - before]
    assert left == []


def test_an_import_that_stops_half_way_leaves_the_scene_as_it_was(application, destination, cine):
    before = inScene(application)
    steps = importResult(cine, destination[1])
    for _ in range(4):
        next(steps)
    assert inScene(application) > before
    steps.close()
    assert inScene(application) == before


def test_the_input_may_be_gone_when_the_result_arrives(application, destination, imported, still):
    (sequence, browser, shown), _ = destination
    for node in (browser, sequence, shown):
        application.scene.RemoveNode(node)
    nodes = imported(still)
    assert nodes.table.GetNodeReference(INPUT_ROLE) is None
    np.testing.assert_array_equal(labelsOf(nodes), still.labels[0])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["still", "cine"])
def test_a_saved_scene_tells_as_much_as_a_fresh_one(imported, reopened, kind, request):
    files = request.getfixturevalue(kind)
    nodes = imported(files)
    record, name = nodes.record, nodes.volume.GetName()
    with reopened() as other:
        back = resultOf(other.scene.GetFirstNodeByName(name))
        assert back.record == record
        np.testing.assert_allclose(gridOfVolume(back.volume).affine, files.grid.affine, rtol=0, atol=1e-6)
        if kind == "cine":
            back.browser.SetSelectedItemNumber(1)
            other.modules["Sequences"].UpdateProxyNodesFromSequences(back.browser)
        shown = 1 if kind == "cine" else 0
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(back.volume), files.volume[shown])
        np.testing.assert_array_equal(labelsOf(back), files.labels[shown])
        assert back.longAxis is not None
        assert back.table.GetNodeReference(INPUT_ROLE).GetName() == "SAX"
        assert back.table.GetNumberOfRows() == nodes.table.GetNumberOfRows()
