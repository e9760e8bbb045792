"""The long-axis comparison, drawn by Slicer's displayable managers."""

import numpy as np
import pytest
import slicer
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, unit
from dmcvr.core.labels import COLOURS, LVC, LVM, RVC
from DMCVRReconstructionLib.comparison import layouts
from DMCVRReconstructionLib.comparison.lax_comparison import LaxComparison
from DMCVRReconstructionLib.comparison.lax_images import findLaxImages, imagesByView, laxImage
from DMCVRReconstructionLib.comparison.layouts import LAX, RECONSTRUCTION, SAX, STACK, VIEWS, viewName
from DMCVRReconstructionLib.comparison.slice_views import sliceLogic
from DMCVRReconstructionLib.scene.stack_input import stackInput
from DMCVRReconstructionLib.scene.volume_nodes import RAS_TO_LPS
from slicer_harness.application import Application
from slicer_harness.views import Views

SIZE = (900, 600)


@pytest.fixture
def views(application):
    views = Views(application, SIZE)
    yield views
    views.close()


def laxGrid(stack):
    step = stack.normal * 6.0
    return Grid(stack.origins[0], stack.step_x, stack.step_y, step, (1, *stack.frames.shape[2:]))


@pytest.fixture
def laxCines(addCine, phantom):
    """The phantom's long-axis cines in the scene, with their labels."""
    for view, stack in phantom.lax.items():
        addCine(f"LAX {view}", stack.frames, laxGrid(stack), stack.times)
        addCine(f"drawn {view}", phantom.lax_labels[view], laxGrid(stack), stack.times, labels=True)


@pytest.fixture
def images(destination, laxCines):
    return findLaxImages(stackInput(destination[0][2]))


def near(picture, colour, most=40):
    """How many pixels have about this colour."""
    return int((np.abs(picture.astype(int) - np.array(colour)).sum(-1) < most).sum())


def differ(a, b):
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def planeOf(name):
    """Centre, right and upward direction of a slice view, LPS."""
    matrix = RAS_TO_LPS @ slicer.util.arrayFromVTKMatrix(sliceLogic(name).GetSliceNode().GetSliceToRAS())
    return matrix[:3, 3], matrix[:3, 0], matrix[:3, 1]


def test_long_axis_images_are_found_by_how_they_lie(images, phantom, addVolume, destination):
    assert [image.series.name for image in images] == ["LAX 2ch", "LAX 3ch", "LAX 4ch"]
    for image, stack in zip(images, phantom.lax.values(), strict=True):
        np.testing.assert_allclose(image.plane.origin, stack.origins[0], rtol=0, atol=1e-6)
    # A slice far from the heart is none, nor is a stack.
    far = laxGrid(phantom.lax["4ch"])
    away = Grid(far.origin + 200 * unit(far.step_z), far.step_x, far.step_y, far.step_z, far.shape)
    addVolume("far", phantom.lax["4ch"].frames[0], away)
    assert len(findLaxImages(stackInput(destination[0][2]))) == 3
    with pytest.raises(InputError, match="not a single slice"):
        laxImage(destination[0][2])


def test_views_are_told_by_the_anatomy(images, imported, still):
    axis = imported(still).longAxis
    assert {view: image.series.name for view, image in imagesByView(images, axis, 3).items()} == {
        view: f"LAX {view}" for view in VIEWS
    }


def test_without_images_the_planes_hold_the_long_axis(views, imported, still):
    nodes = imported(still)
    comparison = LaxComparison(nodes)
    assert comparison.views == dict.fromkeys(VIEWS)
    comparison.enter()
    assert layouts.layoutNode().GetViewArrangement() == layouts.LAYOUT_IDS[False]
    axis = nodes.longAxis
    for view in VIEWS:
        centre, right, up = planeOf(viewName(view, STACK))
        np.testing.assert_allclose(up, axis.apex, rtol=0, atol=1e-6)
        normal = np.cross(right, up)
        assert abs((axis.centre - centre) @ normal) < 1e-6
    left = -planeOf(viewName("4ch", RECONSTRUCTION))[1]
    assert left @ axis.rv > 0.93


def test_with_images_the_planes_are_theirs_under_any_transform(application, views, images, imported, still):
    nodes = imported(still)
    comparison = LaxComparison(nodes, images)
    comparison.enter()
    for image, view in zip(images, VIEWS, strict=True):
        for row in (STACK, RECONSTRUCTION, LAX):
            centre, right, up = planeOf(viewName(view, row))
            normal = image.plane.normal
            assert abs((centre - image.plane.origin) @ normal) < 1e-6
            assert max(abs(right @ normal), abs(up @ normal)) < 1e-6


def test_every_view_shows_what_it_should(views, images, imported, still, tmp_path):
    comparison = LaxComparison(imported(still), images)
    comparison.enter()
    picture = views.render()
    views.save(tmp_path / "comparison.png")
    assert picture.shape == (SIZE[1], SIZE[0], 3)
    for view in VIEWS:
        shown = {row: views.render([viewName(view, row)]) for row in (STACK, RECONSTRUCTION, LAX)}
        for row, part in shown.items():
            # The smooth outline of the wall covers most of the cavity's.
            assert near(part, COLOURS[LVC]) > (1200 if row == STACK else 150), (view, row)
            assert near(part, COLOURS[LVM]) > (1900 if row == STACK else 900), (view, row)
        assert differ(shown[STACK], shown[RECONSTRUCTION]) > 12
        assert differ(shown[LAX], shown[RECONSTRUCTION]) > 40
    assert near(views.render([viewName("4ch", LAX)]), COLOURS[RVC]) > 400
    sax = views.render([SAX])
    for colour in layouts.COLOURS.values():
        assert near(sax, [int(colour[k : k + 2], 16) for k in (1, 3, 5)], 60) > 150


def test_outlines_on_the_real_image_lie_on_its_walls(views, images, imported, still):
    """Inside the outline of the cavity blood is bright, outside is the dark wall."""
    comparison = LaxComparison(imported(still), images)
    comparison.enter()
    name = viewName("2ch", LAX)
    outlined = views.render([name])
    comparison._nodes.segmentation.GetDisplayNode().SetVisibility(False)
    comparison.update()
    bare = views.render([name]).mean(-1)
    rows, columns = np.nonzero(np.abs(outlined.astype(int) - COLOURS[LVC]).sum(-1) < 40)
    middle = (rows > np.quantile(rows, 0.3)) & (rows < np.quantile(rows, 0.8))
    step = 5
    centre = columns.mean()
    inward = np.where(columns < centre, step, -step)
    inside = bare[rows[middle], (columns + inward)[middle]]
    outside = bare[rows[middle], (columns - inward)[middle]]
    assert np.median(inside) > np.median(outside) + 60


@pytest.mark.parametrize("size", [(900, 600), (500, 900)])
def test_views_are_whole_in_a_layout_that_is_sized_later_and_after_resizing(
    views, images, imported, still, size
):
    comparison = LaxComparison(imported(still), images)
    comparison.enter()
    width = comparison.planes()["4ch"].shape[0]
    names = [*(viewName(view, row) for view in VIEWS for row in (STACK, RECONSTRUCTION, LAX)), SAX]
    for shape in (size, size[::-1]):
        views.resize(*shape)
        for name in names:
            node = sliceLogic(name).GetSliceNode()
            assert min(node.GetFieldOfView()[:2]) == pytest.approx(width, abs=1.5), name
            columns, rows = node.GetDimensions()[:2]
            across, up = node.GetFieldOfView()[:2]
            assert across / columns == pytest.approx(up / rows, rel=1e-6)  # pixels remain square


def test_the_fade_goes_from_before_to_after(views, images, imported, still):
    comparison = LaxComparison(imported(still), images)
    comparison.enter()
    name = viewName("4ch", RECONSTRUCTION)
    pictures = {}
    for value in (0.0, 0.5, 1.0):
        comparison.setFade(value)
        pictures[value] = views.render([name])
    assert differ(pictures[0.0], pictures[1.0]) > differ(pictures[0.5], pictures[1.0]) > 3.5


def test_scores_come_from_labels_on_the_images(views, images, imported, still):
    scores = LaxComparison(imported(still), images).scores()
    assert {(score.view, score.structure) for score in scores} >= {
        (view, structure) for view in VIEWS for structure in ("LVC", "LVM")
    }
    for score in scores:
        assert score.dice > {"LVC": 0.96, "LVM": 0.8, "RVC": 0.86}[score.structure], score
        assert score.distance < 1.7, score


def test_without_labels_there_are_no_scores(destination, addCine, phantom, imported, still):
    stack = phantom.lax["4ch"]
    addCine("LAX", stack.frames, laxGrid(stack), stack.times)
    found = findLaxImages(stackInput(destination[0][2]))
    assert LaxComparison(imported(still), found).scores() == []


def test_segments_drawn_on_an_image_count_as_well(
    application, destination, addVolume, phantom, imported, still
):
    from DMCVRReconstructionLib.scene.segmentation_nodes import fillSegmentation

    stack = phantom.lax["4ch"]
    addVolume("LAX", stack.frames[0], laxGrid(stack))
    drawn = application.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    thick = np.repeat(phantom.lax_labels["4ch"][0], 3, axis=0)
    grid = laxGrid(stack)
    thickGrid = Grid(grid.origin - grid.step_z, grid.step_x, grid.step_y, grid.step_z, thick.shape)
    fillSegmentation(drawn, thick, thickGrid)
    found = findLaxImages(stackInput(destination[0][2]))
    scores = LaxComparison(imported(still), found).scores()
    assert {score.structure: score.dice for score in scores}["LVC"] > 0.96


def test_the_views_follow_the_cine(application, views, images, imported, cine):
    nodes = imported(cine)
    comparison = LaxComparison(nodes, images)
    comparison.enter()
    pictures = {}
    for frame in (0, 1):
        nodes.browser.SetSelectedItemNumber(frame)
        application.modules["Sequences"].UpdateProxyNodesFromSequences(nodes.browser)
        comparison.update()
        pictures[frame] = [views.render([viewName("4ch", row)]) for row in (STACK, RECONSTRUCTION, LAX)]
    for before, after in zip(*pictures.values(), strict=True):
        assert differ(before, after) > 30


def test_leaving_brings_back_what_the_user_had(application, views, images, imported, still):
    nodes = imported(still)
    layouts.layoutNode().SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    red = application.scene.GetSingletonNode("Red", "vtkMRMLSliceNode")
    red.SetOrientation("Coronal")
    turned = slicer.util.arrayFromVTKMatrix(red.GetSliceToRAS())
    display = nodes.segmentation.GetDisplayNode()
    display.AddViewNodeID(red.GetID())
    before = {application.scene.GetNthNode(k).GetID() for k in range(application.scene.GetNumberOfNodes())}
    comparison = LaxComparison(nodes, images)
    comparison.enter()
    views.render()
    comparison.leave()
    assert not comparison.isShown
    assert layouts.layoutNode().GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    np.testing.assert_array_equal(slicer.util.arrayFromVTKMatrix(red.GetSliceToRAS()), turned)
    assert [display.GetNthViewNodeID(k) for k in range(display.GetNumberOfViewNodeIDs())] == [red.GetID()]
    assert display.GetVisibility2DFill()
    after = {application.scene.GetNthNode(k) for k in range(application.scene.GetNumberOfNodes())}
    # What Slicer made for the new views stays; of what was shown in them nothing does.
    left = [node for node in after if node.GetID() not in before]
    shown = ("Volume", "Color", "Segmentation", "VolumeDisplay", "SegmentationDisplay")
    assert not [node for node in left if any(node.IsA(f"vtkMRML{kind}Node") for kind in shown)]


@pytest.mark.slow
def test_a_scene_saved_during_the_comparison_opens_whole_elsewhere(
    application, views, images, imported, still, tmp_path
):
    """Where nothing knows the comparison's layouts, and nobody was told of the saving."""
    layouts.layoutNode().SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    nodes = imported(still)
    name, before = nodes.segmentation.GetName(), nodes.segmentation.GetDisplayNode().GetVisibility2DFill()
    comparison = LaxComparison(nodes, images)
    comparison.enter()
    path = str(tmp_path / "scene.mrb")
    application.scene.SetRootDirectory(str(tmp_path))
    assert application.scene.WriteToMRB(path, None)
    assert comparison.isShown
    other = Application(str(tmp_path / "other"))
    try:
        theirs = layouts.layoutNode()
        theirs.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        assert other.scene.ReadFromMRB(path)
        assert theirs.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
        assert not [
            n for n in slicer.util.getNodesByClass("vtkMRMLSliceNode") if "DMCVR" in n.GetLayoutName()
        ]
        assert not slicer.util.getNodes("DMCVR *")
        display = slicer.util.getNode(name).GetDisplayNode()
        assert display.GetVisibility2DFill() == before
        assert display.IsDisplayableInView("vtkMRMLSliceNodeRed")
        assert display.IsDisplayableInView("vtkMRMLViewNode1")
    finally:
        other.close()
        application.use()


def test_leaving_after_the_result_was_removed(application, views, imported, still):
    from DMCVRReconstructionLib.scene.result_nodes import removeResult

    nodes = imported(still)
    comparison = LaxComparison(nodes)
    comparison.enter()
    removeResult(nodes)
    comparison.leave()
    assert not comparison.isShown


def test_a_result_without_a_heart_is_explained(imported, still):
    from dataclasses import replace

    blank = {**still.record, "long_axis": [None]}
    nodes = imported(replace(still, record=blank))
    with pytest.raises(InputError, match="both ventricles"):
        LaxComparison(nodes)
