"""Labels that an expert drew, on the slices of a stack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import slicer
import vtk
from dmcvr.errors import InputError
from dmcvr.geometry import Grid
from dmcvr.labels import BACKGROUND, NAMES
from dmcvr.stack import Stack
from slicer.i18n import tr as _

from .series import currentFrame, seriesOf
from .volumes import RAS_TO_LPS, isRigid, toWorld, transformGrid


def labelsOnStack(node, stack: Stack, transformNode) -> np.ndarray:
    """(1, S, H, W) uint8 labels, in the project's order, that ``node`` has on the slices of ``stack``.

    node: a label volume with 1 LVC, 2 LVM, 3 RVC, or a segmentation with segments of these names.
    transformNode: the rigid one that moves the stack into the world, or None.
    Raises InputError where it has none there, or lies under a transform that changes sizes.
    """
    parts = _segments(node) if node.IsA("vtkMRMLSegmentationNode") else [_labelVolume(node)]
    matrix = toWorld(node)
    if matrix is None or not isRigid(matrix):
        raise InputError(
            _("The transform that {name} is under changes its shape; remove it.").format(name=node.GetName())
        )
    if transformNode is not None:
        toParent = vtk.vtkMatrix4x4()
        transformNode.GetMatrixTransformToWorld(toParent)
        matrix = RAS_TO_LPS @ np.linalg.inv(slicer.util.arrayFromVTKMatrix(toParent)) @ RAS_TO_LPS @ matrix
    labels = np.full((1, *stack.frames.shape[1:]), BACKGROUND, np.uint8)
    for array, grid in parts:
        moved = transformGrid(grid, matrix)
        for index in range(len(stack.origins)):
            found = moved.sample(array, stack.plane(index).points(), order=0)
            labels[0, index][found > 0] = found[found > 0]
    if not labels.any():
        raise InputError(
            _("{name} holds none of LVC, LVM and RVC where the image is.").format(name=node.GetName())
        )
    return labels


def asStack(labels: np.ndarray, stack: Stack) -> Stack:
    """``labels`` (1, S, H, W) in the slices of ``stack``, to be written as images are."""
    return replace(stack, frames=labels.astype(np.float32), times=None)


def _labelVolume(node) -> tuple[np.ndarray, Grid]:
    series = seriesOf(node)
    # A margin of nothing, as sampling ends at the outermost voxels' centres.
    array = np.pad(series.frame(currentFrame(node)), 1)
    grid = Grid(
        series.grid.position([-1, -1, -1]),
        series.grid.step_x,
        series.grid.step_y,
        series.grid.step_z,
        array.shape,
    )
    return array, grid


def _segments(node) -> list[tuple[np.ndarray, Grid]]:
    """The segments named LVC, LVM and RVC, each in the box that holds it."""
    found = []
    for label, name in NAMES.items():
        segmentID = node.GetSegmentation().GetSegmentIdBySegmentName(name)
        if not segmentID:
            continue
        image = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(segmentID, image)
        if image.IsEmpty():
            continue
        first = image.GetExtent()[::2]
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        affine = RAS_TO_LPS @ slicer.util.arrayFromVTKMatrix(matrix)
        scalars = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
        array = np.pad(scalars.reshape(image.GetDimensions()[::-1]) > 0, 1).astype(np.uint8) * label
        corner = affine[:3, :3] @ (np.array(first) - 1) + affine[:3, 3]
        found.append((array, Grid(corner, *affine[:3, :3].T, shape=array.shape)))
    return found
