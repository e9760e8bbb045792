"""Labels as a segmentation node: named, coloured and coded as in DICOM, with outlines and surfaces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import slicer
import vtk
from dmcvr.core.geometry import Grid, padded
from dmcvr.core.labels import BACKGROUND, COLOURS, FILL_OPACITY, LVM, NAMES, WALL_OPACITY
from dmcvr.core.terminology import slicer_entry
from vtk.util.numpy_support import vtk_to_numpy

from .volume_nodes import gridOfMatrix, gridOfVolume, isRigid, setVolume, toWorld, transformGrid

SMOOTHING = "0.5"  # of the surfaces, in Slicer's units from 0 to 1
MARGIN_VOXELS = 2


def fillSegmentation(
    segmentationNode, labels: np.ndarray, grid: Grid, volumeNode=None, surfaces: bool = True
) -> None:
    """Fill ``segmentationNode`` with LVC, LVM and RVC of ``labels`` (Z, Y, X) on ``grid`` (LPS mm), and their
    ``surfaces``, which thick slices do not make.

    Structures without voxels become empty segments. volumeNode: the image that the segments belong to.
    """
    for _ in fillSegmentationInSteps(segmentationNode, labels, grid, volumeNode, surfaces):
        pass


def fillSegmentationInSteps(
    segmentationNode, labels: np.ndarray, grid: Grid, volumeNode=None, surfaces: bool = True
) -> Iterator[None]:
    """As ``fillSegmentation``, yielding after each segment, whose surface takes a while to compute."""
    segmentation = segmentationNode.GetSegmentation()
    segmentation.RemoveAllSegments()
    segmentationNode.SetSourceRepresentationToBinaryLabelmap()
    segmentation.SetConversionParameter("Smoothing factor", SMOOTHING)
    if volumeNode is not None:
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    labels, grid = _cropped(labels, grid)
    for label, name in NAMES.items():
        segment = slicer.vtkSegment()
        segment.SetName(name)
        segment.SetColor(*(value / 255 for value in COLOURS[label]))
        segment.SetTag(segment.GetTerminologyEntryTagName(), slicer_entry(label))
        segment.AddRepresentation(
            slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName(),
            _labelmap(labels == label, grid),
        )
        # Once one segment has a surface, the segmentation creates that of every further segment by itself.
        segmentation.AddSegment(segment, name)
        if surfaces and segmentation.GetNumberOfSegments() == 1:
            segmentationNode.CreateClosedSurfaceRepresentation()
        yield


def styleSegmentation(segmentationNode) -> None:
    """Surfaces, in 2D as smooth outlines with a faint fill, in 3D with a translucent myocardium."""
    segmentationNode.CreateDefaultDisplayNodes()
    displayNode = segmentationNode.GetDisplayNode()
    surface = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    displayNode.SetPreferredDisplayRepresentationName2D(surface)
    displayNode.SetPreferredDisplayRepresentationName3D(surface)
    displayNode.SetOpacity2DFill(FILL_OPACITY)
    displayNode.SetSegmentOpacity3D(NAMES[LVM], WALL_OPACITY)


def labelsOfSegmentation(segmentationNode, volumeNode) -> np.ndarray | None:
    """(Z, Y, X) labels that the segments named LVC, LVM and RVC have on the voxels of ``volumeNode``.

    None where the segmentation has no such segments, or where a transform between the two is not rigid.
    """
    segments, grid = segmentArrays(segmentationNode), gridOfVolume(volumeNode)
    if segments is None:
        return None
    if segmentationNode.GetTransformNodeID() != volumeNode.GetTransformNodeID():
        matrices = toWorld(segmentationNode), toWorld(volumeNode)
        if any(matrix is None or not isRigid(matrix) for matrix in matrices):
            return None
        grid = transformGrid(grid, np.linalg.inv(matrices[0]) @ matrices[1])
    labels = np.full(grid.shape, BACKGROUND, np.uint8)
    for array, own in segments:
        _paste(array, own, labels, grid)
    return labels


def segmentArrays(segmentationNode) -> list[tuple[np.ndarray, Grid]] | None:
    """The segments named LVC, LVM and RVC: (Z, Y, X) labels, each in a box that holds it with a margin of
    zeros.

    The grids are in the segmentation's own coordinates, LPS mm. None where there are no such segments.
    """
    found, named = [], False
    for label, name in NAMES.items():
        segmentID = segmentationNode.GetSegmentation().GetSegmentIdBySegmentName(name)
        if not segmentID:
            continue
        named = True
        image = slicer.vtkOrientedImageData()
        segmentationNode.GetBinaryLabelmapRepresentation(segmentID, image)
        if image.IsEmpty():
            continue
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        scalars = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
        grid = gridOfMatrix(matrix, scalars.shape)
        grid = replace(grid, origin=grid.position(image.GetExtent()[-2::-2]))
        found.append(padded((scalars > 0).astype(np.uint8) * label, grid))
    return found if named else None


def _paste(array: np.ndarray, own: Grid, labels: np.ndarray, grid: Grid) -> None:
    """Put what is not zero of ``array`` (on ``own``) into ``labels`` (on ``grid``), nearest neighbour."""
    offset = grid.indices(own.origin)
    start = np.rint(offset).astype(int)
    if not np.allclose(own.affine[:3, :3], grid.affine[:3, :3], rtol=0, atol=1e-4) or (
        np.abs(offset - start).max() > 1e-2
    ):
        points = np.stack([grid.plane(z).points() for z in range(grid.shape[0])])
        found = own.sample(array, points, order=0)
        labels[found > 0] = found[found > 0]
        return
    # The same lattice, which is the rule for results: no need to resample.
    low, high = np.maximum(start, 0), np.minimum(start + array.shape, grid.shape)
    if (low >= high).any():
        return
    part = array[tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))]
    target = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    target[part > 0] = part[part > 0]


def _cropped(labels: np.ndarray, grid: Grid) -> tuple[np.ndarray, Grid]:
    """The part that holds the heart, so that surfaces are computed from no more voxels than necessary."""
    where = np.argwhere(labels != BACKGROUND)
    if not len(where):
        return labels[:1, :1, :1], Grid(grid.origin, grid.step_x, grid.step_y, grid.step_z, (1, 1, 1))
    low = np.maximum(where.min(0) - MARGIN_VOXELS, 0)
    high = np.minimum(where.max(0) + 1 + MARGIN_VOXELS, labels.shape)
    part = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return part, Grid(grid.position(low), grid.step_x, grid.step_y, grid.step_z, part.shape)


def _labelmap(mask: np.ndarray, grid: Grid):
    """``mask`` (Z, Y, X) as the image that a segment's binary labelmap is."""
    volumeNode = slicer.vtkMRMLLabelMapVolumeNode()
    setVolume(volumeNode, mask.astype(np.uint8), grid)
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    image = slicer.vtkOrientedImageData()
    image.ShallowCopy(volumeNode.GetImageData())
    image.SetGeometryFromImageToWorldMatrix(matrix)
    return image
