"""Measurements that follow edits of a result's segmentation.

The record of the run stays as it is; what was measured since is an attribute of the table of measurements, so
that a saved scene keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import slicer
from dmcvr.core.labels import NAMES

from .measurement_nodes import fillCurve, fillTable
from .result_nodes import EDITED, ResultNodes
from .segmentation_nodes import segmentArrays
from .wall_nodes import forgetWall

SAME_ML = 1e-4  # far less than a voxel, far more than rounding


def editedFrames(nodes: ResultNodes) -> dict[int, dict[str, float]]:
    """Volumes in ml by structure of the frames that were edited, counted among the reconstructed ones."""
    return {int(frame): item for frame, item in json.loads(nodes.table.GetAttribute(EDITED) or "{}").items()}


def measuredRecord(nodes: ResultNodes) -> dict:
    """The record of the run, with the volumes as they are now."""
    record, edited = nodes.record, editedFrames(nodes)
    return {**record, "volumes": [edited.get(k, item) for k, item in enumerate(record["volumes"])]}


def measureAnew(nodes: ResultNodes, frames: Iterable[int]) -> bool:
    """Measure the segments of ``frames``, counted among the reconstructed ones; whether any has changed.

    Then the tables of the result have changed as well.
    """
    record, edited = measuredRecord(nodes), editedFrames(nodes)
    found = {frame: segmentVolumes(nodes.segmentationAt(frame)) for frame in frames}
    changed = {
        frame: volumes
        for frame, volumes in found.items()
        if any(abs(volumes[name] - record["volumes"][frame][name]) > SAME_ML for name in volumes)
    }
    if not changed:
        return False
    nodes.table.SetAttribute(EDITED, json.dumps(edited | changed))
    for frame in changed:
        forgetWall(nodes, frame)
    record = measuredRecord(nodes)
    with slicer.util.NodeModify(nodes.table):
        fillTable(nodes.table, record)
    if nodes.curve is not None:
        with slicer.util.NodeModify(nodes.curve):
            fillCurve(nodes.curve, record, record["frame_times_ms"])
    return True


def segmentVolumes(segmentationNode) -> dict[str, float]:
    """Volume in ml of LVC, LVM and RVC, by counting voxels; 0 for what is not there."""
    volumes = dict.fromkeys(NAMES.values(), 0.0)
    for array, grid in segmentArrays(segmentationNode) or ():
        count = int((array > 0).sum())
        if count:
            volumes[NAMES[int(array.max())]] += count * grid.voxel_ml
    return volumes
