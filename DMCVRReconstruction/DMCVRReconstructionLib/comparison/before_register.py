"""The acquired slices as they were before they were put in register."""

from __future__ import annotations

import numpy as np
import slicer
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, Plane, sample_plane, unit
from dmcvr.core.stack import Stack

from ..scene.result_nodes import INPUT_ROLE, ResultNodes
from ..scene.stack_input import stackInput
from ..scene.volume_nodes import gridOfVolume
from .helper_nodes import nearestAcquiredSlices


def slicesBeforeRegister(nodes: ResultNodes) -> tuple[np.ndarray, np.ndarray]:
    """Image and labels (Z, Y, X) as by ``nearestAcquiredSlices``, but before slices were put in register.

    The image is the input's own voxels where it is still in the scene, else the result's moved back; labels
    are the result's moved back. ``frame`` must be displayed.
    """
    image, labels = (array.copy() for array in nearestAcquiredSlices(nodes))
    grid, record = gridOfVolume(nodes.volume), nodes.record
    acquired = [(z, index) for z, index in enumerate(record["geometry"]["acquired"]) if index is not None]
    rows = np.array([z for z, _index in acquired])
    nearest = np.abs(np.arange(len(image))[:, None] - rows).argmin(1)
    axes = np.stack([unit(grid.step_x), unit(grid.step_y)])
    stack = _inputStack(nodes)
    for k, (z, index) in enumerate(acquired):
        place = grid.plane(z)
        shift = np.array(record["register"]["shifts_mm"][index]) @ axes
        shifted = Plane(place.origin + shift, place.step_x, place.step_y, place.shape)
        drawn = sample_plane(labels[z], shifted, place, order=0)
        if stack is None:
            shown = sample_plane(image[z].astype(np.float32), shifted, place)
        else:
            source = stack.plane(_nearestSlice(stack, grid, z))
            shown = sample_plane(stack.frames[0, _nearestSlice(stack, grid, z)], source, place)
        image[nearest == k], labels[nearest == k] = shown, drawn
    return image, labels


def _inputStack(nodes: ResultNodes) -> Stack | None:
    """The displayed frame of the input; None if it is no longer there as it was."""
    inputNode = nodes.table.GetNodeReference(INPUT_ROLE)
    if inputNode is None or inputNode.GetScene() is not slicer.mrmlScene:
        return None
    try:
        found = stackInput(inputNode)
        return found.readStack([nodes.record["frames"][nodes.frame]])
    except (InputError, IndexError):  # the user has changed or removed it since
        return None


def _nearestSlice(stack: Stack, grid: Grid, z: int) -> int:
    along = (stack.origins - grid.plane(z).origin) @ stack.normal
    return int(np.abs(along).argmin())
