"""Which stack a node stands for, by place to 1e-6 mm and voxel for voxel."""

import numpy as np
import pytest
import slicer
import vtk
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid
from DMCVRReconstructionLib.scene.image_series import FRAME_LABELS, currentFrame
from DMCVRReconstructionLib.scene.stack_input import RESULT_MARK, stackInput, suggestedInput
from DMCVRReconstructionLib.scene.volume_nodes import setVolume

RNG = np.random.default_rng(5)


def voxels(oblique, frames=1):
    return RNG.integers(0, 900, (frames, *oblique.shape)).astype(np.int16)


def assertPlaces(stack, positions):
    """The slices' corners lie where ``positions`` (S, 3) and the steps say."""
    np.testing.assert_allclose(stack.origins, positions, rtol=0, atol=1e-6)


def sliceGrid(grid, z):
    return Grid(grid.position([z, 0, 0]), grid.step_x, grid.step_y, grid.step_z, (1, *grid.shape[1:]))


def corners(grid):
    return np.array([grid.position([z, 0, 0]) for z in range(grid.shape[0])])


def addTransform(application, matrix=None, transform=None):
    node = application.scene.AddNewNodeByClass("vtkMRMLTransformNode", "moved")
    if transform is None:
        node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    else:
        node.SetAndObserveTransformToParent(transform)
    return node


def rigid(degrees=30.0, shift=(5.0, -8.0, 13.0)):
    transform = vtk.vtkTransform()
    transform.Translate(*shift)
    transform.RotateWXYZ(degrees, 0.2, 0.7, -0.4)
    return slicer.util.arrayFromVTKMatrix(transform.GetMatrix())


def test_an_oblique_volume_is_the_stack_at_its_place(addVolume, oblique):
    array = voxels(oblique)[0]
    stack = stackInput(addVolume("sax", array, oblique)).readStack()
    np.testing.assert_array_equal(stack.frames[0], array)
    assertPlaces(stack, corners(oblique))
    np.testing.assert_allclose([stack.step_x, stack.step_y], [oblique.step_x, oblique.step_y], atol=1e-9)


def test_a_left_handed_volume_is_turned_round(addVolume, oblique):
    array = voxels(oblique)[0]
    end = oblique.position([4, 0, 0])
    mirrored = Grid(end, oblique.step_x, oblique.step_y, -oblique.step_z, oblique.shape)
    stack = stackInput(addVolume("sax", array, mirrored)).readStack()
    np.testing.assert_array_equal(stack.frames[0], array[::-1])
    assertPlaces(stack, corners(oblique))


def test_the_shown_volume_of_a_cine_stands_for_the_sequence(addCine, oblique):
    arrays = voxels(oblique, 4)
    sequence, browser, shown = addCine("cine", arrays, oblique, times=[0, 31.5, 63, 94.5])
    browser.SetSelectedItemNumber(2)
    for node in (sequence, shown):
        found = stackInput(node)
        stack = found.readStack()
        np.testing.assert_array_equal(stack.frames, arrays)
        np.testing.assert_allclose(stack.times, [0, 31.5, 63, 94.5])
        assert found.node is shown
        assert currentFrame(node) == 2
    assert browser.GetSelectedItemNumber() == 2
    np.testing.assert_array_equal(stackInput(shown).readStack([3]).frames, arrays[3:])


def test_seconds_are_told_from_milliseconds(addCine, oblique):
    _, _, shown = addCine("cine", voxels(oblique, 3), oblique, times=[0, 0.03, 0.06], unit="s")
    np.testing.assert_allclose(stackInput(shown).readStack().times, [0, 30, 60])
    _, _, numbered = addCine("other", voxels(oblique, 3), oblique, times=[0, 1, 2], unit="")
    assert stackInput(numbered).readStack().times is None


def test_a_multi_volume_is_a_cine(application, oblique):
    arrays = voxels(oblique, 3)
    node = application.scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "multi")
    slicer.util.updateVolumeFromArray(node, np.moveaxis(arrays, 0, -1))
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.diag([-1, -1, 1, 1]) @ oblique.affine))
    with pytest.raises(InputError, match="colour"):
        stackInput(node)
    node.SetAttribute(FRAME_LABELS, "0,40,80")
    stack = stackInput(node).readStack()
    np.testing.assert_array_equal(stack.frames, arrays)
    np.testing.assert_allclose(stack.times, [0, 40, 80])


@pytest.mark.parametrize("places", [(0, 1, 2, 3, 4), (0, 1.3, 2, 2.9, 4)], ids=["regular", "irregular"])
def test_one_sequence_a_slice_makes_a_stack(addCine, oblique, places):
    arrays = voxels(oblique, 3)
    shown = {}
    for z in (3, 0, 4, 1, 2):  # in the order of loading
        _, _, shown[z] = addCine(f"sax {z}", arrays[:, z : z + 1], sliceGrid(oblique, places[z]), [0, 40, 80])
    # Others in the scene: a long-axis cine, a scout of another size.
    crossing = Grid(oblique.origin, oblique.step_x, oblique.step_z / 6, oblique.step_y, (1, 30, 36))
    addCine("4ch", voxels(oblique, 3)[:, :1], crossing)
    addCine(
        "scout",
        arrays[:, :1, :20],
        Grid(*(getattr(oblique, n) for n in ("origin", "step_x", "step_y", "step_z")), (1, 20, 36)),
    )
    for chosen in shown.values():
        stack = stackInput(chosen).readStack()
        np.testing.assert_array_equal(stack.frames, arrays)
        assertPlaces(stack, np.array([oblique.position([z, 0, 0]) for z in places]))


def test_still_slices_make_a_stack_and_the_last_acquired_counts(addVolume, oblique):
    array = voxels(oblique)[0]
    for z in range(5):
        addVolume(f"sax {z}", array[z : z + 1] if z != 2 else 0 * array[:1], sliceGrid(oblique, z))
    again = addVolume("sax 2 again", array[2:3], sliceGrid(oblique, 2))
    np.testing.assert_array_equal(stackInput(again).readStack().frames[0], array)


def test_what_else_is_in_the_scene_does_no_harm(application, addVolume, addCine, oblique):
    array = voxels(oblique)[0]
    for z in range(5):
        chosen = addVolume(f"sax {z}", array[z : z + 1], sliceGrid(oblique, z))
    stretched = addVolume("stretched", array[:1], sliceGrid(oblique, 0))
    stretched.SetAndObserveTransformNodeID(addTransform(application, np.diag([1, 1, 1.2, 1])).GetID())
    sequence, _, _ = addCine("moving", array[None, :1], sliceGrid(oblique, 0))
    elsewhere = slicer.vtkMRMLScalarVolumeNode()
    setVolume(elsewhere, array[:1], sliceGrid(oblique, 3))
    sequence.SetDataNodeAtValue(elsewhere, "1")
    np.testing.assert_array_equal(stackInput(chosen).readStack().frames[0], array)


def test_slices_of_another_study_are_left_alone(application, addVolume, oblique):
    hierarchy = application.scene.GetSubjectHierarchyNode()
    array, volumes = voxels(oblique)[0], []
    studies = [hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), name) for name in ("one", "two")]
    for z in range(5):
        volumes.append(addVolume(f"sax {z}", array[z : z + 1], sliceGrid(oblique, z)))
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volumes[-1]), studies[z >= 3])
    assert len(stackInput(volumes[0]).readStack().origins) == 3
    assert len(stackInput(volumes[4]).readStack().origins) == 2


def test_a_single_slice_is_explained(addVolume, oblique):
    node = addVolume("sax", voxels(oblique)[0][:1], sliceGrid(oblique, 0))
    with pytest.raises(InputError, match="single slice"):
        stackInput(node)
    with pytest.raises(InputError, match="Choose"):
        stackInput(None)


def test_slices_with_other_frames_are_refused(addCine, oblique):
    arrays = voxels(oblique, 4)
    addCine("one", arrays[:, :1], sliceGrid(oblique, 0))
    _, _, shown = addCine("two", arrays[:3, 1:2], sliceGrid(oblique, 1))
    with pytest.raises(InputError, match="3 to 4"):
        stackInput(shown)


def test_a_rigid_transform_is_passed_on_to_the_result(application, addVolume, oblique):
    node = addVolume("sax", voxels(oblique)[0], oblique)
    parent = addTransform(application, rigid())
    node.SetAndObserveTransformNodeID(parent.GetID())
    found = stackInput(node)
    assert found.transformNode is parent
    assertPlaces(found.readStack(), corners(oblique))


def test_slices_under_different_transforms_meet_in_the_world(application, addVolume, oblique):
    array = voxels(oblique)[0]
    move = rigid(3.0, (0.5, 0, 0))
    lps = np.diag([-1.0, -1, 1, 1])
    for z in range(5):
        # Loaded away from its place, and brought back by a transform of its own.
        back = np.linalg.inv(lps @ move @ lps)
        own = sliceGrid(oblique, z)
        affine = back @ own.affine
        node = addVolume(f"sax {z}", array[z : z + 1], Grid(affine[:3, 3], *affine[:3, :3].T, own.shape))
        node.SetAndObserveTransformNodeID(addTransform(application, move).GetID())
    found = stackInput(node)
    assert found.transformNode is None
    assertPlaces(found.readStack(), corners(oblique))


@pytest.mark.parametrize(
    "matrix", [np.diag([1, 1, 1.2, 1]), np.diag([-1, 1, 1, 1])], ids=["scaled", "mirrored"]
)
def test_a_transform_that_changes_sizes_is_refused(application, addVolume, oblique, matrix):
    node = addVolume("sax", voxels(oblique)[0], oblique)
    node.SetAndObserveTransformNodeID(addTransform(application, matrix).GetID())
    with pytest.raises(InputError, match="scales or mirrors"):
        stackInput(node)


def acquisitionTransform(node, grid, displacements):
    """What DICOM import makes for irregular spacing: a grid with a vector at each slice's corners."""
    depth, height, width = grid.shape
    image = vtk.vtkImageData()
    image.SetDimensions(2, 2, depth)
    steps = [grid.step_x * (width - 1), grid.step_y * (height - 1), grid.step_z]
    signs = np.array([-1, -1, 1])
    image.SetOrigin(*(grid.origin * signs))
    image.SetSpacing(*(np.linalg.norm(step) for step in steps))
    vectors = np.repeat(displacements * signs, 4, axis=0)
    array = vtk.util.numpy_support.numpy_to_vtk(vectors, deep=1)
    image.GetPointData().SetScalars(array)
    transform = slicer.vtkOrientedGridTransform()
    directions = np.eye(4)
    directions[:3, :3] = np.column_stack([step / np.linalg.norm(step) for step in steps]) * signs[:, None]
    transform.SetGridDirectionMatrix(slicer.util.vtkMatrixFromArray(directions))
    transform.SetDisplacementGridData(image)
    parent = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "acquisition transform")
    parent.SetAndObserveTransformToParent(transform)
    node.SetAndObserveTransformNodeID(parent.GetID())


def test_the_transform_that_dicom_import_adds_is_followed(addVolume, oblique):
    node = addVolume("sax", voxels(oblique)[0], oblique)
    along = oblique.step_z / np.linalg.norm(oblique.step_z)
    displacements = np.array([0, 2.5, -1, 0.7, 3])[:, None] * along
    acquisitionTransform(node, oblique, displacements)
    found = stackInput(node)
    assert found.transformNode is None
    assertPlaces(found.readStack(), corners(oblique) + displacements)


def test_a_transform_that_bends_slices_is_refused(application, addVolume, oblique):
    node = addVolume("sax", voxels(oblique)[0], oblique)
    splines = vtk.vtkThinPlateSplineTransform()
    splines.SetBasisToR()
    places = corners(oblique)[[0, 2, 4]] * [-1, -1, 1]
    middle = oblique.position([2, 15, 18]) * [-1, -1, 1]
    for kind, shift in (("Source", 0), ("Target", 12)):
        points = vtk.vtkPoints()
        for point in (*places, middle + np.array([0, 0, shift])):
            points.InsertNextPoint(point)
        getattr(splines, f"Set{kind}Landmarks")(points)
    node.SetAndObserveTransformNodeID(addTransform(application, transform=splines).GetID())
    with pytest.raises(InputError, match=r"bends or stretches|not parallel"):
        stackInput(node).readStack()


def test_the_likeliest_stack_is_suggested(addVolume, addCine, oblique):
    assert suggestedInput() is None
    thin = Grid(oblique.origin, oblique.step_x, oblique.step_y, oblique.step_z / 9, oblique.shape)
    addVolume("whole heart, 1 mm", voxels(oblique)[0], thin)
    addVolume("localizer", voxels(oblique)[0][:3], Grid(*oblique.affine[:3, [3, 0, 1, 2]].T, (3, 30, 36)))
    addCine("LAX", voxels(oblique, 4)[:, :1], sliceGrid(oblique, 2))
    assert suggestedInput() is None
    still = addVolume("still", voxels(oblique)[0], oblique)
    assert suggestedInput() is still
    _, _, shown = addCine("SAX", voxels(oblique, 4), oblique)
    assert suggestedInput() is shown
    _, _, result = addCine("result", voxels(oblique, 6), oblique)
    result.SetAttribute(RESULT_MARK, "1")
    for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode")[-1:]:
        node.SetAttribute(RESULT_MARK, "1")
    assert suggestedInput() is shown


def test_slices_loaded_one_by_one_are_suggested_by_one_of_them(addCine, oblique):
    arrays = voxels(oblique, 3)
    shown = [addCine(f"slice {z}", arrays[:, z : z + 1], sliceGrid(oblique, z))[2] for z in range(5)]
    found = suggestedInput()
    assert found in shown
    assert len(stackInput(found).planes) == 5
