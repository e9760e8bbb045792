"""Manual labels on the slices of a stack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, padded
from dmcvr.core.labels import BACKGROUND
from dmcvr.core.stack import Stack
from slicer.i18n import tr as _

from .image_series import currentFrame, seriesOf
from .segmentation_nodes import segmentArrays
from .volume_nodes import isRigid, toWorld, transformGrid, transformToWorld


def labelsOnStack(node, stack: Stack, transformNode) -> np.ndarray:
    """(1, S, H, W) uint8 labels, in the project's order, of ``node`` on the slices of ``stack``.

    node: a label volume with 1 LVC, 2 LVM, 3 RVC, or a segmentation with segments of these names.
    transformNode: the rigid parent transform of the stack, or None.
    Raises InputError if there are no labels on the slices, or if the node's parent transform is not rigid.
    """
    parts = segmentArrays(node) or [] if node.IsA("vtkMRMLSegmentationNode") else [_labelVolume(node)]
    matrix = toWorld(node)
    if matrix is None or not isRigid(matrix):
        raise InputError(
            _("The parent transform of {name} is not rigid; remove it.").format(name=node.GetName())
        )
    matrix = np.linalg.inv(transformToWorld(transformNode)) @ matrix
    labels = np.full((1, *stack.frames.shape[1:]), BACKGROUND, np.uint8)
    for array, grid in parts:
        moved = transformGrid(grid, matrix)
        for index in range(len(stack.origins)):
            found = moved.sample(array, stack.plane(index).points(), order=0)
            labels[0, index][found > 0] = found[found > 0]
    if not labels.any():
        raise InputError(
            _("{name} contains no LVC, LVM or RVC labels on the slices of the image.").format(
                name=node.GetName()
            )
        )
    return labels


def asStack(labels: np.ndarray, stack: Stack) -> Stack:
    """``labels`` (1, S, H, W) as the image of ``stack``, to be written to a file."""
    return replace(stack, frames=labels.astype(np.float32), times=None)


def _labelVolume(node) -> tuple[np.ndarray, Grid]:
    series = seriesOf(node)
    return padded(series.frame(currentFrame(node)), series.grid)
