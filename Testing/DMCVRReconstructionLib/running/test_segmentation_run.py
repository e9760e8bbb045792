"""Slices segmented, corrected and reconstructed, by the real process."""

import numpy as np
import pytest
import slicer
from dmcvr.core.labels import LVC
from dmcvr.core.stack import stack_grid
from dmcvr.evaluation.metrics import dice
from dmcvr.reconstruction.options import Options
from DMCVRReconstructionLib.comparison.lax_images import findLaxImages
from DMCVRReconstructionLib.running.reconstruction_run import RunRequest
from DMCVRReconstructionLib.running.run import Run
from DMCVRReconstructionLib.running.segmentation_run import SegmentRequest
from DMCVRReconstructionLib.scene.manual_labels import drawnLabels
from DMCVRReconstructionLib.scene.segmentation_nodes import fillSegmentation, labelsOfSegmentation
from DMCVRReconstructionLib.scene.stack_input import stackInput
from slicer_harness.loading import addStack

pytestmark = [pytest.mark.usefixtures("temporary"), pytest.mark.slow]


def finished(request):
    run = Run(request)
    run.start()
    return run.wait()


@pytest.fixture
def heart(addCine, phantom):
    """The phantom's slices about the heart, all frames: its shown volume."""
    return addCine("SAX", phantom.sax.frames.round(), stack_grid(phantom.sax), phantom.sax.times)[2]


def test_segment_correct_reconstruct(heart, phantom):
    sizes = (phantom.sax_labels == LVC).sum((1, 2, 3))
    phases = sorted((int(sizes.argmax()), int(sizes.argmin())))
    node = finished(SegmentRequest(heart, Options(frame="both")))
    found = stackInput(heart)
    labels = drawnLabels(node, found, None).sample()
    assert labels.any((1, 2, 3)).nonzero()[0].tolist() == phases
    for frame in phases:
        assert dice(labels[frame] == LVC, phantom.sax_labels[frame] == LVC) > 0.9
    # The user leaves out the most basal slice of the frame displayed, one of the two.
    _series, shown = found.series[0], labelsOfSegmentation(node, heart)
    corrected = shown.copy()
    corrected[np.flatnonzero((shown == LVC).any((1, 2)))[-1]] = 0
    fillSegmentation(node, corrected, found.series[0].grid, heart, surfaces=False)
    nodes = finished(RunRequest(heart, Options("shape", 5.0, "both", align="off"), labelsNode=node))
    record = nodes.record
    assert record["frames"] == phases
    assert 20 < record["ef"] < 80
    acquired = [z for z, index in enumerate(record["geometry"]["acquired"]) if index is not None]
    displayed = labelsOfSegmentation(nodes.segmentation, nodes.volume)[acquired]
    np.testing.assert_array_equal(displayed, corrected)
    assert nodes.report.GetText().startswith("<!")


def test_one_displayed_frame(heart, phantom):
    node = finished(SegmentRequest(heart, Options(frame=1)))
    labels = drawnLabels(node, stackInput(heart), None).sample()
    assert labels.any((1, 2, 3)).tolist() == [False, True, False]


def test_long_axis_images_put_slices_in_register(heart, phantom):
    for view, image in phantom.lax.items():
        addStack(f"LAX {view}", image)
    node = finished(SegmentRequest(heart, Options(frame=0)))
    images = tuple(findLaxImages(stackInput(heart)))
    nodes = finished(RunRequest(heart, Options("shape", 5.0, 0, align="lax"), labelsNode=node, lax=images))
    assert nodes.record["register"]["source"] == "lax"
    browser = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")[0]
    assert all(browser.GetSequenceNode(image.node) is not None for image in images)
