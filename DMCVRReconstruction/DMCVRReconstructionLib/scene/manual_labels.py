"""Manual labels on the slices of a stack: of one frame, or of every frame of a cine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, Plane, padded
from dmcvr.core.labels import BACKGROUND
from dmcvr.core.stack import Stack
from slicer.i18n import tr as _

from .image_series import browserAndSequence, currentFrame, seriesOf
from .segmentation_nodes import segmentArrays
from .stack_input import StackInput
from .volume_nodes import isRigid, toWorld, transformPlane, transformToWorld

Part = tuple[np.ndarray, Grid]
"""(Z, Y, X) labels on a grid, in coordinates of their own, LPS mm."""


@dataclass(frozen=True)
class DrawnLabels:
    """Labels as they lie in the scene, copied, so that ``sample`` may run outside the main thread.

    name: of their node. frames: the parts of each frame. planes: of the stack's slices, in the order of the
    stack, in the coordinates of the parts.
    """

    name: str
    frames: tuple[tuple[Part, ...], ...]
    planes: tuple[Plane, ...]

    def sample(self) -> np.ndarray:
        """(T, S, H, W) uint8 labels in the project's order. Raises InputError if there are none."""
        labels = np.full((len(self.frames), len(self.planes), *self.planes[0].shape), BACKGROUND, np.uint8)
        for frame, parts in zip(labels, self.frames, strict=True):
            for array, grid in parts:
                for drawn, plane in zip(frame, self.planes, strict=True):
                    found = _on_plane(array, grid, plane)
                    drawn[found > 0] = found[found > 0]
        if not labels.any():
            raise InputError(
                _("{name} contains no LVC, LVM or RVC labels on the slices of the image.").format(
                    name=self.name
                )
            )
        return labels


def drawnLabels(node, found: StackInput, frame: int | None) -> DrawnLabels:
    """The labels of ``node`` for ``frame`` of the stack ``found``, or for all of its frames (None).

    node: a label volume with 1 LVC, 2 LVM, 3 RVC, or a segmentation with segments of these names; a cine with
    as many frames as the stack has labels for each of them, anything else for the displayed frame only.
    Raises InputError if its parent transform is not rigid, or if it is of one frame and all are wanted.
    """
    planes = _planesBelow(node, found)
    _browser, sequenceNode = browserAndSequence(node)
    ofCine = sequenceNode is not None and sequenceNode.GetNumberOfDataNodes() == found.frameCount
    if not ofCine and frame is None and found.frameCount > 1:
        raise InputError(
            _(
                "The manual labels belong to a single frame; show that frame and choose to reconstruct "
                "the displayed frame."
            )
        )
    if not ofCine:
        return DrawnLabels(node.GetName(), (_parts(node),), planes)
    wanted = range(found.frameCount) if frame is None else [frame]
    nodes = [sequenceNode.GetNthDataNode(index) for index in wanted]
    return DrawnLabels(node.GetName(), tuple(_parts(item) for item in nodes), planes)


def asStack(labels: np.ndarray, stack: Stack) -> Stack:
    """``labels`` (T or 1, S, H, W) as the image of ``stack``, to be written to a file."""
    times = stack.times if len(labels) == len(stack.frames) else None
    return replace(stack, frames=labels.astype(np.float32), times=times)


def _parts(node) -> tuple[Part, ...]:
    """The labels of ``node``, which may be an item of a sequence; a label volume shows one frame."""
    if node.IsA("vtkMRMLSegmentationNode"):
        return tuple(segmentArrays(node) or ())
    series = seriesOf(node)
    return (padded(series.frame(currentFrame(node)), series.grid),)


def _planesBelow(node, found: StackInput) -> tuple[Plane, ...]:
    """The planes of the stack's slices in the coordinates of ``node``, in the order of the stack."""
    shown = [series.shownNode for series in found.series]
    if all(item is not None and item.GetTransformNodeID() == node.GetTransformNodeID() for item in shown):
        # Below one transform, which may be the non-linear one of DICOM import, they are where they are drawn.
        own = [series.grid.plane(z) for series in found.series for z in range(series.grid.shape[0])]
        return found.sorted(own)
    matrix = toWorld(node)
    if matrix is None or not isRigid(matrix):
        raise InputError(
            _("The parent transform of {name} is not rigid; remove it.").format(name=node.GetName())
        )
    matrix = np.linalg.inv(matrix) @ transformToWorld(found.transformNode)
    return found.sorted([transformPlane(plane, matrix) for plane in found.planes])


def _on_plane(array: np.ndarray, grid: Grid, plane: Plane) -> np.ndarray:
    """(H, W) of ``array`` on ``plane``, nearest neighbour; without resampling where it is a slice of it."""
    steps = np.array([plane.step_x, plane.step_y])
    start = grid.indices(plane.origin)
    z, y, x = np.rint(start).astype(int)
    sameLattice = np.allclose(steps, [grid.step_x, grid.step_y], rtol=0, atol=1e-4)
    if not sameLattice or np.abs(start - [z, y, x])[1:].max() > 1e-2:
        return grid.sample(array, plane.points(), order=0)
    out = np.zeros(plane.shape, array.dtype)
    if 0 <= z < len(array):
        low, high = np.maximum([y, x], 0), np.minimum([y + out.shape[0], x + out.shape[1]], array.shape[1:])
        inPlane = [slice(a, b) for a, b in zip(low, high, strict=True)]
        # The grid of a segment is cropped: negative indices of the plane's corner count its own pixels.
        target = [slice(a - s, b - s) for a, b, s in zip(low, high, (y, x), strict=True)]
        if (low < high).all():
            out[tuple(target)] = array[z][tuple(inPlane)]
    return out
