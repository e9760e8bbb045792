"""Volume nodes as arrays on grids, and back.

Slicer's world is RAS and the backend's LPS, both in mm: x and y change sign. Arrays are indexed [z, y, x].
"""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, Plane
from slicer.i18n import tr as _

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SAME_PLACE_MM = 1e-3
RIGID_TOLERANCE = 1e-4  # of the products of a rotation's columns


def gridOfVolume(volumeNode) -> Grid:
    """The grid of ``volumeNode`` in its own coordinates, LPS mm, without parent transforms.

    Raises InputError for a volume without image data.
    """
    imageData = volumeNode.GetImageData()
    if imageData is None or imageData.GetNumberOfPoints() == 0:
        raise InputError(_("The volume contains no image data; reload it or choose another one."))
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return gridOfMatrix(matrix, imageData.GetDimensions()[::-1])


def gridOfMatrix(matrix: vtk.vtkMatrix4x4, shape: tuple[int, int, int]) -> Grid:
    """The grid (LPS mm) of ``shape`` (Z, Y, X) whose voxel indices (x, y, z) ``matrix`` takes to RAS mm."""
    affine = RAS_TO_LPS @ slicer.util.arrayFromVTKMatrix(matrix)
    return Grid(affine[:3, 3], *affine[:3, :3].T, shape=shape)


def samePlace(a, b) -> bool:
    """Whether two volumes have the same grid in their own coordinates; fast, for all frames of a cine."""
    images = a.GetImageData(), b.GetImageData()
    if None in images or images[0].GetDimensions() != images[1].GetDimensions():
        return False
    matrices = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    a.GetIJKToRASMatrix(matrices[0])
    b.GetIJKToRASMatrix(matrices[1])
    return slicer.vtkAddonMathUtilities.MatrixAreEqual(*matrices, SAME_PLACE_MM)


def setVolume(volumeNode, array: np.ndarray, grid: Grid) -> None:
    """Put ``array`` (Z, Y, X) on ``grid`` (LPS mm) into ``volumeNode``; the array is copied."""
    slicer.util.updateVolumeFromArray(volumeNode, array)
    volumeNode.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(RAS_TO_LPS @ grid.affine))


def toWorld(node) -> np.ndarray | None:
    """(4, 4) from the node's own coordinates to the world's, LPS mm; None under a non-linear transform."""
    return transformToWorld(node.GetParentTransformNode() if node is not None else None)


def transformToWorld(transformNode) -> np.ndarray | None:
    """(4, 4) from the coordinates below ``transformNode`` to the world's, LPS mm; the identity for None.

    None if it, or one of its own parent transforms, is non-linear.
    """
    if transformNode is None:
        return np.eye(4)
    matrix = vtk.vtkMatrix4x4()
    if not transformNode.IsTransformToWorldLinear() or not transformNode.GetMatrixTransformToWorld(matrix):
        return None
    return RAS_TO_LPS @ slicer.util.arrayFromVTKMatrix(matrix) @ RAS_TO_LPS


def isRigid(matrix: np.ndarray) -> bool:
    """Whether ``matrix`` (4, 4) is a rotation and translation, without scaling or mirroring."""
    turn = matrix[:3, :3]
    orthonormal = np.allclose(turn.T @ turn, np.eye(3), rtol=0, atol=RIGID_TOLERANCE)
    return bool(orthonormal and np.linalg.det(turn) > 0)


def pointsToWorld(node, points: np.ndarray) -> np.ndarray:
    """(N, 3) ``points`` from the node's own coordinates to the world's, LPS mm, by any parent transform."""
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, transform)
    signs = RAS_TO_LPS.diagonal()[:3]
    return np.array([transform.TransformPoint(point) for point in points * signs]) * signs


def transformPlane(plane: Plane, matrix: np.ndarray) -> Plane:
    """``plane`` moved by ``matrix`` (4, 4), LPS mm."""
    turn, shift = matrix[:3, :3], matrix[:3, 3]
    return Plane(turn @ plane.origin + shift, turn @ plane.step_x, turn @ plane.step_y, plane.shape)


def transformGrid(grid: Grid, matrix: np.ndarray) -> Grid:
    """``grid`` moved by ``matrix`` (4, 4), LPS mm."""
    affine = matrix @ grid.affine
    return Grid(affine[:3, 3], *affine[:3, :3].T, shape=grid.shape)
