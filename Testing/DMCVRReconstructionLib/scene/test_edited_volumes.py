"""Measurements that follow an edit of the result."""

import numpy as np
import pytest
from dmcvr.core.labels import LVC, NAMES
from DMCVRReconstructionLib.scene.edited_volumes import editedFrames, measureAnew, measuredRecord
from DMCVRReconstructionLib.scene.segmentation_nodes import fillSegmentation
from DMCVRReconstructionLib.scene.volume_nodes import gridOfVolume


def halved(nodes, labels):
    """Redraw the displayed frame without the lower half of the LV cavity; its new volume in ml."""
    grid = gridOfVolume(nodes.volume)
    labels = labels.copy()
    labels[: len(labels) // 2][labels[: len(labels) // 2] == LVC] = 0
    fillSegmentation(nodes.segmentation, labels, grid, nodes.volume)
    return np.count_nonzero(labels == LVC) * grid.voxel_ml


def row(nodes, start):
    for index in range(nodes.table.GetNumberOfRows()):
        if nodes.table.GetCellText(index, 0).startswith(start):
            return float(nodes.table.GetCellText(index, 1))
    raise KeyError(start)


def test_what_was_not_edited_is_measured_as_the_run_did(imported, cine):
    nodes = imported(cine)
    assert not measureAnew(nodes, range(3))
    assert editedFrames(nodes) == {}
    assert measuredRecord(nodes) == nodes.record


def test_the_table_follows_an_edit(imported, still):
    nodes = imported(still)
    volume = halved(nodes, still.labels[0])
    assert measureAnew(nodes, [0])
    assert row(nodes, "LV cavity") == pytest.approx(volume, abs=0.05)
    assert editedFrames(nodes)[0][NAMES[LVC]] == pytest.approx(volume)
    assert nodes.record["volumes"][0][NAMES[LVC]] > 1.3 * volume  # the run's own stays on record
    assert not measureAnew(nodes, [0])


def test_function_and_curve_follow_an_edit_of_one_frame(imported, cine):
    nodes = imported(cine)
    es = nodes.record["es"]
    before = row(nodes, "LV ejection fraction")
    nodes.showFrame(es)
    volume = halved(nodes, cine.labels[es])
    nodes.showFrame(nodes.record["ed"])  # measured from the sequence
    assert measureAnew(nodes, [es])
    assert row(nodes, "LV end-systolic") == pytest.approx(volume, abs=0.05)
    assert row(nodes, "LV ejection fraction") > before + 5
    assert float(nodes.curve.GetCellText(es, 1)) == pytest.approx(volume, abs=0.01)
