"""Input, result and long-axis cines in one browser."""

from dataclasses import replace

import numpy as np
import pytest
import slicer
from dmcvr.core.geometry import Grid
from DMCVRReconstructionLib.scene.image_series import currentFrame
from DMCVRReconstructionLib.scene.result_nodes import removeResult, resultOf
from DMCVRReconstructionLib.scene.segmentation_nodes import labelsOfSegmentation


@pytest.fixture
def phases(cine):
    """Only the first and the last of the three frames, as of a run for both phases."""
    record = {**cine.record, "frames": [0, 2], "ed": 0, "es": 1}
    for name in ("volumes", "stack_volumes", "long_axis", "mass_g"):
        record[name] = [cine.record[name][k] for k in (0, 2)]
    return replace(cine, volume=cine.volume[[0, 2]], labels=cine.labels[[0, 2]], record=record)


@pytest.fixture
def lax(addCine, phantom):
    """Two long-axis cines: one with the frames of the stack, one slower with more of them."""
    step = {view: image.normal * 6.0 for view, image in phantom.lax.items()}
    grids = {
        view: Grid(image.origins[0], image.step_x, image.step_y, step[view], (1, *image.frames.shape[2:]))
        for view, image in phantom.lax.items()
    }
    same = addCine("LAX 4ch", phantom.lax["4ch"].frames, grids["4ch"], phantom.sax.times)
    count = 5
    frames = (
        np.full((count, *phantom.lax["2ch"].frames.shape[1:]), 0.0) + np.arange(count)[:, None, None, None]
    )
    times = np.linspace(0, 1.02 * phantom.sax.times[-1], count)
    return same, addCine("LAX 2ch", frames, grids["2ch"], times)


def test_the_input_plays_with_its_result(destination, imported, cine):
    (_sequence, browser, shown), _ = destination
    nodes = imported(cine)
    assert nodes.browser is browser
    assert browser not in nodes.nodes()
    for frame in (2, 0, 1):
        browser.SetSelectedItemNumber(frame)
        assert nodes.frame == currentFrame(shown) == frame
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(nodes.volume), cine.volume[frame])


def test_frames_without_a_result_show_none(destination, imported, phases):
    (_sequence, browser, _shown), _ = destination
    nodes = imported(phases)
    assert (nodes.frame, browser.GetSelectedItemNumber()) == (0, 0)
    browser.SetSelectedItemNumber(1)
    assert nodes.frame is None
    assert nodes.volume.GetImageData() is None
    assert nodes.segmentation.GetSegmentation().GetNumberOfSegments() == 0
    assert nodes.longAxis is None
    nodes.showFrame(1)
    assert browser.GetSelectedItemNumber() == 2
    np.testing.assert_array_equal(labelsOfSegmentation(nodes.segmentation, nodes.volume), phases.labels[1])
    for item in range(3):  # playing adds nothing to it
        browser.SetSelectedItemNumber(item)
    assert nodes.volumeSequence.GetNumberOfDataNodes() == 2
    assert nodes.segmentationSequence.GetNumberOfDataNodes() == 2


def test_the_function_of_both_phases_is_in_the_table(destination, imported, phases):
    table = imported(phases).table
    quantities = [table.GetCellText(row, 0) for row in range(table.GetNumberOfRows())]
    assert any("ejection fraction" in text for text in quantities)


def test_long_axis_cines_follow_nearest_in_time(destination, imported, cine, lax, phantom):
    (_sequence, browser, _shown), _ = destination
    same, slower = lax
    before = [slower[0].GetNthIndexValue(k) for k in range(slower[0].GetNumberOfDataNodes())]
    imported(cine, followerIDs=tuple(nodes[2].GetID() for nodes in lax))
    times = np.array([float(value) for value in before])
    for frame, time in enumerate(phantom.sax.times):
        browser.SetSelectedItemNumber(frame)
        shown = slicer.util.arrayFromVolume(same[2])
        np.testing.assert_array_equal(shown, phantom.lax["4ch"].frames[frame])
        assert slicer.util.arrayFromVolume(slower[2]).max() == np.abs(times - time).argmin()
    # They are as they were, and their own browsers still play them.
    assert [slower[0].GetNthIndexValue(k) for k in range(slower[0].GetNumberOfDataNodes())] == before
    slower[1].SetSelectedItemNumber(4)
    assert slicer.util.arrayFromVolume(slower[2]).max() == 4


def test_a_removed_result_leaves_the_input_playing(destination, imported, cine, phantom):
    (sequence, browser, shown), _ = destination
    nodes = imported(cine)
    removeResult(nodes)
    assert browser.GetScene() is not None
    assert browser.GetNumberOfSynchronizedSequenceNodes(True) == 1
    assert browser.GetProxyNode(sequence) is shown
    browser.SetSelectedItemNumber(2)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(shown), phantom.sax.frames[2])


@pytest.mark.slow
def test_a_saved_scene_plays_as_before(destination, imported, phases, lax, reopened):
    nodes = imported(phases, followerIDs=tuple(item[2].GetID() for item in lax))
    name = nodes.volume.GetName()
    nodes.browser.SetSelectedItemNumber(1)  # a frame without a result
    with reopened() as other:
        volumes = {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")}
        back = resultOf(volumes[name])
        for index, item in enumerate((0, 2)):
            back.browser.SetSelectedItemNumber(item)
            other.modules["Sequences"].UpdateProxyNodesFromSequences(back.browser)
            assert back.frame == index
            np.testing.assert_array_equal(slicer.util.arrayFromVolume(back.volume), phases.volume[index])
            assert slicer.util.arrayFromVolume(volumes["LAX 2ch"]).max() == 4 * index
        back.browser.SetSelectedItemNumber(1)
        other.modules["Sequences"].UpdateProxyNodesFromSequences(back.browser)
        assert back.frame is None
