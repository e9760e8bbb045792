"""Labels as a segmentation: named, coloured and coded as in DICOM, outlined in 2D and shown as surfaces in
3D.
"""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from dmcvr.geometry import Grid
from dmcvr.labels import BACKGROUND, COLOURS, LVM, NAMES
from dmcvr.nrrd import TERMS

from .volumes import setVolume

WALL_OPACITY = 0.4  # of the myocardium in 3D, so that the cavity inside shows
FILL_OPACITY = 0.15
SMOOTHING = "0.5"  # of the surfaces, in Slicer's units from 0 to 1
MARGIN_VOXELS = 2


def fillSegmentation(segmentationNode, labels: np.ndarray, grid: Grid, volumeNode=None) -> None:
    """Make ``segmentationNode`` hold LVC, LVM and RVC of ``labels`` (Z, Y, X) on ``grid`` (LPS mm), with
    surfaces.

    Every segment is there, also where it is empty. volumeNode: the image that the segments belong to.
    """
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
        code, meaning = TERMS[label]
        segment.SetTag(
            segment.GetTerminologyEntryTagName(),
            "Segmentation category and type - DICOM master list~SCT^123037004^Anatomical Structure"
            f"~SCT^{code}^{meaning}~^^~Anatomic codes - DICOM master list~^^~^^",
        )
        segment.AddRepresentation(
            slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName(),
            _labelmap(labels == label, grid),
        )
        segmentation.AddSegment(segment, name)
    segmentationNode.CreateClosedSurfaceRepresentation()


def styleSegmentation(segmentationNode) -> None:
    """Outlines with a faint fill in 2D; in 3D surfaces, of which the wall's is translucent."""
    segmentationNode.CreateDefaultDisplayNodes()
    displayNode = segmentationNode.GetDisplayNode()
    displayNode.SetPreferredDisplayRepresentationName3D(
        slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    )
    displayNode.SetOpacity2DFill(FILL_OPACITY)
    displayNode.SetSegmentOpacity3D(NAMES[LVM], WALL_OPACITY)


def labelsOfSegmentation(segmentationNode, volumeNode) -> np.ndarray | None:
    """(Z, Y, X) labels that the segments named LVC, LVM and RVC have on the voxels of ``volumeNode``.

    None where the segmentation has no such segments.
    """
    segmentation = segmentationNode.GetSegmentation()
    shape = volumeNode.GetImageData().GetDimensions()[::-1]
    labels, found = np.full(shape, BACKGROUND, np.uint8), False
    for label, name in NAMES.items():
        segmentID = segmentation.GetSegmentIdBySegmentName(name)
        if not segmentID:
            continue
        found = True
        mask = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentID, volumeNode)
        if mask is not None and mask.shape == shape:
            labels[mask > 0] = label
    return labels if found else None


def _cropped(labels: np.ndarray, grid: Grid) -> tuple[np.ndarray, Grid]:
    """The part that holds the heart, so that surfaces are made from no more voxels than need be."""
    where = np.argwhere(labels != BACKGROUND)
    if not len(where):
        return labels, grid
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
