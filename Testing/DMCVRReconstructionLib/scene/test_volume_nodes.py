import numpy as np
import pytest
import slicer
import vtk
from dmcvr.core.errors import InputError
from DMCVRReconstructionLib.scene.volume_nodes import (
    gridOfVolume,
    isRigid,
    pointsToWorld,
    toWorld,
    transformGrid,
)


def turned(degrees, shift=(0, 0, 0)):
    transform = vtk.vtkTransform()
    transform.Translate(*shift)
    transform.RotateWXYZ(degrees, 0.3, -0.5, 0.8)
    return transform


def test_an_oblique_volume_keeps_its_place_and_voxels(addVolume, oblique):
    array = np.random.default_rng(0).integers(0, 900, oblique.shape).astype(np.int16)
    node = addVolume("sax", array, oblique)
    np.testing.assert_allclose(gridOfVolume(node).affine, oblique.affine, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), array)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    ras = np.array(matrix.MultiplyPoint([7, 3, 2, 1])[:3])
    np.testing.assert_allclose(ras * [-1, -1, 1], oblique.position([2, 3, 7]), rtol=0, atol=1e-9)


def test_a_volume_without_voxels_is_refused(application):
    node = application.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    with pytest.raises(InputError, match="no image"):
        gridOfVolume(node)


def test_points_go_to_the_world_as_slicer_takes_them(application, addVolume, oblique):
    node = addVolume("sax", np.ones(oblique.shape, np.int16), oblique)
    parent = application.scene.AddNewNodeByClass("vtkMRMLTransformNode", "outer")
    parent.SetAndObserveTransformToParent(turned(20, (4, 5, 6)))
    inner = application.scene.AddNewNodeByClass("vtkMRMLTransformNode", "inner")
    inner.SetAndObserveTransformToParent(turned(-50, (-9, 2, 30)))
    inner.SetAndObserveTransformNodeID(parent.GetID())
    node.SetAndObserveTransformNodeID(inner.GetID())
    point = oblique.position([1, 2, 3])
    expected = np.zeros(3)
    node.TransformPointToWorld(point * [-1, -1, 1], expected)
    world = transformGrid(oblique, toWorld(node)).position([1, 2, 3])
    np.testing.assert_allclose(world * [-1, -1, 1], expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(pointsToWorld(node, point[None])[0], world, rtol=0, atol=1e-6)


def test_a_warp_has_no_matrix(application, addVolume, oblique):
    node = addVolume("sax", np.ones(oblique.shape, np.int16), oblique)
    warp = application.scene.AddNewNodeByClass("vtkMRMLTransformNode", "warp")
    splines = vtk.vtkThinPlateSplineTransform()
    splines.SetBasisToR()
    for points, shift in (("Source", 0), ("Target", 1)):
        landmarks = vtk.vtkPoints()
        for k, corner in enumerate([(0, 0, 0), (50, 0, 0), (0, 50, 0), (0, 0, 50)]):
            landmarks.InsertNextPoint(np.add(corner, shift * k))
        getattr(splines, f"Set{points}Landmarks")(landmarks)
    warp.SetAndObserveTransformToParent(splines)
    node.SetAndObserveTransformNodeID(warp.GetID())
    assert toWorld(node) is None


@pytest.mark.parametrize(
    ("diagonal", "rigid"),
    [((1, 1, 1), True), ((-1, -1, 1), True), ((-1, 1, 1), False), ((1, 1, 1.01), False)],
)
def test_only_turns_and_shifts_are_rigid(diagonal, rigid):
    assert isRigid(np.diag([*diagonal, 1.0])) is rigid
