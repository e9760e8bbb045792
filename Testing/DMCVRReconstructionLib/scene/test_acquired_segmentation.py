"""The acquired slices' segmentation: drawn on the input's voxels, corrected, and read back."""

from dataclasses import replace

import numpy as np
import pytest
import slicer
import vtk
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC
from DMCVRReconstructionLib.panel.segment_panel import imageOf
from DMCVRReconstructionLib.running.segmentation_run import SegmentRequest
from DMCVRReconstructionLib.scene.acquired_segmentation import (
    AcquiredFiles,
    AcquiredPlace,
    ends,
    evenGrid,
    importAcquired,
    onGrid,
)
from DMCVRReconstructionLib.scene.manual_labels import drawnLabels
from DMCVRReconstructionLib.scene.segmentation_nodes import fillSegmentation, labelsOfSegmentation
from DMCVRReconstructionLib.scene.stack_input import stackInput
from slicer_harness.loading import addStack


@pytest.fixture
def drawn(destination, phantom, finished):
    """The phantom's true labels of its first and last frame, drawn on its stack."""
    (_sequence, _browser, shown), target = destination
    labels = phantom.sax_labels.copy()
    labels[1] = 0
    found = stackInput(shown)
    place = AcquiredPlace("SAX", shown.GetID(), None, target.times)
    return finished(importAcquired(AcquiredFiles(labels, found.series[0].grid), place)), shown, labels


def test_each_frame_can_be_drawn_in_the_inputs_browser(drawn, destination):
    node, shown, labels = drawn
    (_sequence, browser, _shown), _ = destination
    for frame in (1, 2, 0):
        browser.SetSelectedItemNumber(frame)
        assert node.GetSegmentation().GetNumberOfSegments() == 3
        np.testing.assert_array_equal(labelsOfSegmentation(node, shown), labels[frame])
    assert not node.GetSegmentation().ContainsRepresentation("Closed surface")
    assert imageOf(node, None) is shown


def test_what_is_drawn_is_what_the_reconstruction_takes(drawn, destination):
    node, shown, labels = drawn
    found = stackInput(shown)
    np.testing.assert_array_equal(drawnLabels(node, found, None).sample(), labels)
    np.testing.assert_array_equal(drawnLabels(node, found, 2).sample(), labels[2:])
    with pytest.raises(InputError, match="contains no LVC"):
        drawnLabels(node, found, 1).sample()
    # The user draws in the empty frame, and goes on.
    (_sequence, browser, _shown), _ = destination
    browser.SetSelectedItemNumber(1)
    fillSegmentation(node, labels[0], found.series[0].grid, shown, surfaces=False)
    browser.SetSelectedItemNumber(2)
    np.testing.assert_array_equal(drawnLabels(node, found, 1).sample(), labels[:1])


def test_it_moves_with_the_input(drawn, application):
    node, shown, labels = drawn
    parent = application.scene.AddNewNodeByClass("vtkMRMLTransformNode", "moved")
    transform = vtk.vtkTransform()
    transform.RotateWXYZ(30, 0, 1, 1)
    parent.SetAndObserveTransformToParent(transform)
    for item in (node, shown):
        item.SetAndObserveTransformNodeID(parent.GetID())
    np.testing.assert_array_equal(drawnLabels(node, stackInput(shown), None).sample(), labels)
    # Read on a stack that did not move, the labels do not fit.
    shown.SetAndObserveTransformNodeID(None)
    with_shift = drawnLabels(node, stackInput(shown), 0).sample()
    assert (with_shift != labels[:1]).any()


def test_base_and_apex_are_told(drawn, phantom):
    node, shown, _labels = drawn
    slices = np.flatnonzero((phantom.sax_labels[0] == LVC).any((1, 2)))
    assert sorted(ends(node, shown)) == [slices[0], slices[-1]]
    areas = (phantom.sax_labels[0] == LVC).sum((1, 2))
    base, apex = ends(node, shown)
    assert areas[base] > areas[apex]


def test_an_even_grid_holds_a_stack_with_a_missing_slice(phantom):
    kept = [0, 1, 2, 4, 5, 6]
    stack = phantom.sax.select(slices=kept)
    grid, z = evenGrid(stack)
    assert z.tolist() == kept
    image = onGrid(stack.frames, stack, grid, z, order=1)
    np.testing.assert_array_equal(image[:, kept], stack.frames)
    assert not image[:, 3].any()
    uneven = replace(stack, origins=stack.origins + 0.4 * stack.gaps.min() * stack.normal * (z == 2)[:, None])
    with pytest.raises(InputError, match="uneven"):
        evenGrid(uneven)


def test_slices_loaded_one_by_one_are_drawn_on_an_assembled_stack(application, phantom, finished):
    nodes = addStack("SAX", phantom.sax, apart=True)
    found = stackInput(nodes[3])
    plan = SegmentRequest(nodes[3]).plan()
    grid, z = evenGrid(found.withoutImage())
    files = AcquiredFiles(
        onGrid(phantom.sax_labels, phantom.sax, grid, z, order=0),
        grid,
        onGrid(phantom.sax.frames, phantom.sax, grid, z, order=1),
    )
    node = finished(plan.bring(files))
    image = imageOf(node, nodes[3])
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(image), phantom.sax.frames[0])
    np.testing.assert_array_equal(drawnLabels(node, found, None).sample(), phantom.sax_labels)


def test_an_import_that_stops_half_way_leaves_the_scene_as_it_was(application, destination, phantom):
    (_sequence, browser, shown), target = destination
    ids = {application.scene.GetNthNode(k).GetID() for k in range(application.scene.GetNumberOfNodes())}
    place = AcquiredPlace("SAX", shown.GetID(), None, target.times)
    steps = importAcquired(AcquiredFiles(phantom.sax_labels, stackInput(shown).series[0].grid), place)
    next(steps)
    steps.close()
    after = {application.scene.GetNthNode(k).GetID() for k in range(application.scene.GetNumberOfNodes())}
    assert after == ids
    assert browser.GetNumberOfSynchronizedSequenceNodes(True) == 1
