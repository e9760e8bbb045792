"""Playing a result while it is edited and styled."""

import numpy as np
import slicer
from dmcvr.core.labels import LVM, NAMES
from DMCVRReconstructionLib.scene.segmentation_nodes import labelsOfSegmentation
from vtk.util.numpy_support import vtk_to_numpy

WALL = NAMES[LVM]


def erase(segmentationNode, name):
    """Empty a segment in place, as an effect of Segment Editor changes voxels."""
    segment = segmentationNode.GetSegmentation().GetSegment(name)
    image = segment.GetRepresentation(
        slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    )
    scalars = vtk_to_numpy(image.GetPointData().GetScalars())
    scalars[scalars == segment.GetLabelValue()] = 0
    image.Modified()


def test_edits_of_a_frame_outlast_playing(imported, cine):
    nodes = imported(cine)
    browser = nodes.browser
    browser.SetSelectedItemNumber(1)
    erase(nodes.segmentation, WALL)
    expected = np.where(cine.labels[1] == LVM, 0, cine.labels[1])
    np.testing.assert_array_equal(labelsOfSegmentation(nodes.segmentation, nodes.volume), expected)
    for frame in (2, 0, 1):
        browser.SetSelectedItemNumber(frame)
        found = labelsOfSegmentation(nodes.segmentation, nodes.volume)
        np.testing.assert_array_equal(found, expected if frame == 1 else cine.labels[frame])


def test_visibility_and_opacity_of_segments_outlast_playing(imported, cine):
    nodes = imported(cine)
    display = nodes.segmentation.GetDisplayNode()
    display.SetSegmentVisibility("RVC", False)
    display.SetSegmentOpacity3D(WALL, 0.17)
    for frame in (2, 0, 1):
        nodes.browser.SetSelectedItemNumber(frame)
        assert not display.GetSegmentVisibility("RVC")
        assert display.GetSegmentOpacity3D(WALL) == 0.17


def test_what_is_done_to_the_displayed_image_does_not_change_the_sequence(imported, cine):
    nodes = imported(cine)
    nodes.browser.SetSelectedItemNumber(1)
    slicer.util.arrayFromVolume(nodes.volume)[:] = 0
    for frame in (0, 1):
        nodes.browser.SetSelectedItemNumber(frame)
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(nodes.volume), cine.volume[frame])
