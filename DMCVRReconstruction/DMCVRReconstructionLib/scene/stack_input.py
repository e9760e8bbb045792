"""The short-axis stack that a node of the scene belongs to, as input of the backend.

A stack is one volume or sequence with several slices, or one node per slice, as DICOM import leaves it if the
scanner stored a series per slice. Parent transforms are honoured: under a single rigid transform the stack
keeps its own coordinates, and the result gets the same parent; the non-linear transform that DICOM import
adds for irregular slice spacing is applied to each slice. Transforms that bend, scale or mirror slices are
refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Plane, unit
from dmcvr.core.parallel_slices import can_be_stacked, first_at_each_place, stack_geometry
from dmcvr.core.stack import Stack
from slicer.i18n import tr as _

from .image_series import Series, imageNodes, seriesOf
from .volume_nodes import isRigid, pointsToWorld, toWorld, transformPlane

FLAT_MM = 0.05  # a transformed slice is bent if its corners leave their plane by more than this
LEAST_SLICES, LEAST_GAP_MM = 4, 4.0  # of a stack that is suggested
RESULT_MARK = "DMCVR.Result"  # attribute of all nodes that this module makes


@dataclass(frozen=True)
class StackInput:
    """A short-axis stack in the scene.

    series: a single one for a whole stack, otherwise one per slice, sorted along the normal.
    planes: of every slice, below ``transformNode``, LPS mm, in the order of the voxels.
    transformNode: the rigid parent transform, which results must get as well, or None.
    """

    series: tuple[Series, ...]
    planes: tuple[Plane, ...]
    transformNode: object | None

    @property
    def name(self) -> str:
        return self.series[0].name

    @property
    def frameCount(self) -> int:
        return self.series[0].count

    @property
    def node(self):
        """The node that results are named after, placed beside and refer to."""
        return self.series[0].shownNode or self.series[0].node

    @property
    def order(self) -> np.ndarray:
        """(S,) which of ``planes`` each slice of the stack is: it is sorted along the normal."""
        origins, step_x, step_y = _geometry(self.planes)
        return np.argsort(origins @ unit(np.cross(step_x, step_y)))

    def sorted(self, planes: Sequence[Plane]) -> tuple[Plane, ...]:
        """``planes``, one for each slice in the order of the voxels, in the order of the stack."""
        return tuple(planes[index] for index in self.order)

    def withoutImage(self) -> Stack:
        """The stack's geometry, with one frame of undefined values: reads no voxels."""
        origins, step_x, step_y = _geometry(self.planes)
        order = self.order
        frames = np.empty((1, len(origins), *self.planes[0].shape), np.float32)
        return Stack(frames, origins[order], step_x, step_y)

    def readStack(self, frames: list[int] | None = None) -> Stack:
        """The stack with all frames of the cine, or ``frames``; whether it is plausible, the backend tells,
        outside the main thread.
        """
        wanted = list(range(self.frameCount)) if frames is None else frames
        origins, step_x, step_y = _geometry(self.planes)
        order = self.order
        rank = np.argsort(order)
        # Every voxel is copied once only, as the window is blocked meanwhile.
        voxels = np.empty((len(wanted), len(order), *self.planes[0].shape), np.float32)
        for frame, index in zip(voxels, wanted, strict=True):
            first = 0
            for series in self.series:
                part = series.frame(index)
                frame[rank[first : first + len(part)]] = part
                first += len(part)
        times = self.series[0].times
        return Stack(
            voxels,
            origins[order],
            step_x,
            step_y,
            None if times is None or len(wanted) < 2 else times[wanted],
        )


def stackInput(node) -> StackInput:
    """The stack that ``node`` is, or is a slice of. Raises InputError, which says what to choose instead."""
    if node is None:
        raise InputError(_("Choose a short-axis image."))
    chosen = seriesOf(node)
    members = (chosen,) if chosen.grid.shape[0] > 1 else slicesOfSameStack(chosen)
    if len({series.count for series in members}) > 1:
        counts = sorted(series.count for series in members)
        raise InputError(
            _(
                "The short-axis slices have different numbers of frames ({least} to {most}); reload or "
                "remove those that differ."
            ).format(least=counts[0], most=counts[-1])
        )
    parents = {_parentID(series) for series in members}
    sameParent = len(parents) == 1
    planes = [plane for series in members for plane in _planes(series, sameParent)]
    linear = sameParent and toWorld(members[0].shownNode) is not None
    transformNode = members[0].shownNode.GetParentTransformNode() if linear and members[0].shownNode else None
    return StackInput(members, tuple(planes), transformNode)


def suggestedInput():
    """The node of the likeliest short-axis stack in the scene, or None.

    Of all stacks with as many slices and gaps as wide as a short-axis stack has, the one with most frames,
    and of these the one with most slices. Results of this module do not count.
    """
    singles = _singleSlices()
    own = {series.node.GetID() for series, _plane in singles}
    candidates = [node for node in imageNodes() if node.GetID() not in own]
    while singles:  # slices loaded one by one: each stack once
        (series, place), study = singles[0], _study(singles[0][0])
        same = [item for item in singles if _study(item[0]) == study and can_be_stacked(place, item[1])]
        singles = [item for item in singles if item not in same]
        candidates.append(series.node)
    best, most = None, (0, 0)
    for node in candidates:
        if node.GetAttribute(RESULT_MARK):
            continue
        try:
            found = stackInput(node)
            origins = found.withoutImage().origins
        except InputError:  # not every image in the scene is a stack
            continue
        apart = np.linalg.norm(np.diff(origins, axis=0), axis=1)
        if len(apart) < LEAST_SLICES - 1 or np.median(apart) < LEAST_GAP_MM:
            continue
        if (found.frameCount, len(origins)) > most:
            best, most = found.node, (found.frameCount, len(origins))
    return best


def slicesOfSameStack(chosen: Series) -> tuple[Series, ...]:
    """The single-slice series that form a stack with ``chosen``, one per position, sorted along the normal.

    They must be of the same study, parallel, and of the same size. Raises InputError if there is no other.
    """
    place = _planes(chosen, False)[0]
    study = _study(chosen)
    found = [
        (float(plane.centre @ place.normal), series)
        for series, plane in _singleSlices()
        if _study(series) == study and can_be_stacked(place, plane)
    ]
    # The slice loaded last counts, as slices are acquired again if the first attempt was poor.
    found.reverse()
    found = [found[index] for index in first_at_each_place([position for position, _series in found])]
    if len(found) < 2:
        raise InputError(
            _(
                "{name} is a single slice, and no other slices of the same orientation and size are loaded; "
                "load all slices of the short-axis cine, or choose a stack."
            ).format(name=chosen.name)
        )
    return tuple(series for _position, series in sorted(found, key=lambda item: item[0]))


def _singleSlices() -> list[tuple[Series, Plane]]:
    """Every single-slice greyscale image in the scene and its plane in the world, in the order of loading,
    without labels and results.
    """
    found = []
    for node in imageNodes():
        if node.GetAttribute(RESULT_MARK):
            continue
        try:
            series = seriesOf(node)
            planes = _planes(series, False)
        except InputError:  # other images in the scene need not be usable as slices
            continue
        if len(planes) == 1:
            found.append((series, planes[0]))
    return found


def _study(series: Series) -> int:
    """The subject hierarchy item of the study that ``series`` is in, or 0."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(series.shownNode or series.node)
    return hierarchy.GetItemAncestorAtLevel(item, "Study") if item else 0


def _parentID(series: Series) -> str | None:
    return series.shownNode.GetTransformNodeID() if series.shownNode is not None else None


def _planes(series: Series, own: bool) -> list[Plane]:
    """The planes of the slices: in their own coordinates if ``own`` and unless warped, else in the world."""
    planes = [series.grid.plane(z) for z in range(series.grid.shape[0])]
    matrix = toWorld(series.shownNode)
    if matrix is None:
        return [_warped(series.shownNode, plane) for plane in planes]
    if not isRigid(matrix):
        raise InputError(
            _(
                "The parent transform of {name} scales or mirrors it; remove the transform, or replace it "
                "with a rigid one."
            ).format(name=series.name)
        )
    return planes if own else [transformPlane(plane, matrix) for plane in planes]


def _warped(node, plane: Plane) -> Plane:
    """``plane`` after the node's non-linear transform, which must keep it flat and its size unchanged."""
    height, width = plane.shape
    corners = plane.origin + np.array(
        [0 * plane.step_x, (width - 1) * plane.step_x, (height - 1) * plane.step_y]
    )
    opposite = corners[1] + corners[2] - corners[0]
    moved = pointsToWorld(node, np.vstack([corners, opposite, plane.centre]))
    step_x = (moved[1] - moved[0]) / max(width - 1, 1)
    step_y = (moved[2] - moved[0]) / max(height - 1, 1)
    flat = Plane(moved[0], step_x, step_y, plane.shape)
    expected = np.array([moved[1] + moved[2] - moved[0], flat.centre])
    if (
        np.linalg.norm(moved[3:] - expected, axis=1).max() > FLAT_MM
        or not np.allclose(flat.spacing, plane.spacing, rtol=1e-3)
        or abs(unit(step_x) @ unit(step_y)) > 1e-3
    ):
        raise InputError(
            _(
                "The parent transform of {name} bends or stretches the slices; remove the transform, or "
                "replace it with a rigid one."
            ).format(name=node.GetName())
        )
    return flat


def _geometry(planes: tuple[Plane, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Origins (S, 3) and common steps of the planes. Raises InputError unless they are parallel."""
    if not all(can_be_stacked(planes[0], plane) for plane in planes):
        raise InputError(_("The slices are not parallel; choose a short-axis stack."))
    return stack_geometry(planes)
