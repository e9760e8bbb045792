"""Long-axis (LAX) images, detected by their position and orientation, and manual labels on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import slicer
from dmcvr.anatomy.expected_axis import expected_long_axis
from dmcvr.anatomy.long_axis import LEFT_SIDE_DEGREES, LongAxis
from dmcvr.core.errors import InputError
from dmcvr.core.frame_times import nearest_frame
from dmcvr.core.geometry import Plane
from dmcvr.core.labels import NAMES
from dmcvr.core.parallel_slices import is_steep
from slicer.i18n import tr as _

from ..scene.image_series import Series, browserAndSequence, imageNodes, seriesOf
from ..scene.segmentation_nodes import labelsOfSegmentation
from ..scene.stack_input import RESULT_MARK, StackInput
from ..scene.volume_nodes import isRigid, toWorld, transformGrid, transformPlane, transformToWorld

NEAR_MM = 60.0  # largest distance of the image's plane from the middle of the stack
SAME_PLACE_MM = 0.1


@dataclass(frozen=True)
class LaxImage:
    """One long-axis image, still or cine. plane: in the world, LPS mm."""

    series: Series
    plane: Plane

    @property
    def node(self):
        """The node that the user sees: the displayed volume, or the sequence if no browser plays it."""
        return self.series.shownNode or self.series.node

    def frameNearest(self, time: float | None, fraction: float) -> np.ndarray:
        """(H, W) the frame nearest to ``time`` (ms), or if unknown to ``fraction`` of the cycle."""
        index = nearest_frame(self.series.count, self.series.times, time, fraction)
        return self.series.frame(index)[0]


def laxImage(node) -> LaxImage:
    """``node`` as a long-axis image. Raises InputError unless it is one slice with a rigid transform."""
    series = seriesOf(node)
    matrix = toWorld(series.shownNode)
    if series.grid.shape[0] != 1 or matrix is None or not isRigid(matrix):
        raise InputError(
            _(
                "{name} is not a single slice, or its parent transform is not rigid; choose a long-axis "
                "image."
            ).format(name=series.name)
        )
    return LaxImage(series, transformGrid(series.grid, matrix).plane(0))


def findLaxImages(found: StackInput) -> list[LaxImage]:
    """All images in the scene that may be long-axis views of the heart in the stack ``found``.

    These are single slices that cross the stack steeply, near its middle, with any number of frames. Repeated
    acquisitions of one view are all listed, in the order of loading.
    """
    matrix = transformToWorld(found.transformNode)
    slices = [transformPlane(plane, matrix) for plane in found.planes]
    centre = np.mean([plane.centre for plane in slices], axis=0)
    own = {series.node.GetID() for series in found.series}
    images = []
    for node in imageNodes():
        if node.GetAttribute(RESULT_MARK) or node.GetID() in own:
            continue
        try:
            image = laxImage(node)
        except InputError:  # other images in the scene need not be long-axis images
            continue
        away = abs((image.plane.origin - centre) @ image.plane.normal)
        if is_steep(image.plane, slices[0]) and away < NEAR_MM:
            images.append(image)
    return images


def expectedAxis(found: StackInput, images: Iterable[LaxImage]) -> LongAxis:
    """The long axis (world, LPS mm) expected of the stack ``found`` before it is segmented."""
    matrix = transformToWorld(found.transformNode)
    slices = [transformPlane(plane, matrix) for plane in found.planes]
    return expected_long_axis(slices, [image.plane for image in images])


def imagesByView(images: Iterable[LaxImage], axis: LongAxis, frames: int) -> dict[str, LaxImage]:
    """One image for each of the views 2ch, 3ch and 4ch about ``axis`` (world, LPS mm) that has any.

    Of several, a cine with as many ``frames`` as the stack comes first, then any cine, then the first.
    """
    views: dict[str, LaxImage] = {}
    for image in sorted(images, key=lambda item: (item.series.count != frames, item.series.count == 1)):
        if view := axis.view(image.plane):
            views.setdefault(view, image)
    return {view: views[view] for view in LEFT_SIDE_DEGREES if view in views}


def laxLabels(image: LaxImage, time: float | None, fraction: float) -> np.ndarray | None:
    """(H, W) manual labels on ``image`` at that time, of a label volume or a segmentation; or None.

    A label volume, still or cine, must have exactly the pixels of the image; of a segmentation that is not a
    result of this module, the segments named LVC, LVM and RVC are taken.
    """
    for node in [
        *slicer.util.getNodesByClass("vtkMRMLSequenceNode"),
        *slicer.util.getNodesByClass("vtkMRMLLabelMapVolumeNode"),
    ]:
        if not _holdsLabels(node) or node.GetAttribute(RESULT_MARK):
            continue
        try:
            series = seriesOf(node)
        except InputError:  # labels that are empty or change position cannot be of this image
            continue
        if _samePixels(series, image.series):
            found = LaxImage(series, image.plane).frameNearest(time, fraction)
            if found.any():
                return found.astype(np.uint8)
    if not image.node.IsA("vtkMRMLVolumeNode"):
        return None
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        if node.GetAttribute(RESULT_MARK) or browserAndSequence(node)[1] is not None:
            continue
        if any(node.GetSegmentation().GetSegmentIdBySegmentName(name) for name in NAMES.values()):
            found = labelsOfSegmentation(node, image.node)
            if found is not None and found.any():
                return found[0]
    return None


def _holdsLabels(node) -> bool:
    if node.IsA("vtkMRMLSequenceNode"):
        return node.GetDataNodeClassName() == "vtkMRMLLabelMapVolumeNode"
    return node.GetImageData() is not None and browserAndSequence(node)[1] is None


def _samePixels(a: Series, b: Series) -> bool:
    return a.grid.shape == b.grid.shape and np.allclose(
        a.grid.affine, b.grid.affine, rtol=0, atol=SAME_PLACE_MM
    )
