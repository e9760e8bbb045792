"""The comparison of a reconstruction with the stack and real images on long-axis planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dmcvr.anatomy.long_axis import LEFT_SIDE_DEGREES, LongAxis
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, Plane, unit
from dmcvr.core.labels import BACKGROUND
from dmcvr.evaluation.view_scores import ViewScore, score_view
from slicer.i18n import tr as _

from ..scene.result_nodes import ResultNodes
from ..scene.segmentation_nodes import labelsOfSegmentation
from ..scene.volume_nodes import gridOfVolume, toWorld, transformGrid
from . import layouts
from .before_register import slicesBeforeRegister
from .helper_nodes import HelperNodes, nearestAcquiredSlices
from .lax_images import LaxImage, imagesByView, laxLabels
from .layouts import LAX, RECONSTRUCTION, SAX, STACK, VIEWS, viewName
from .slice_views import FittedViews, SegmentationOutlines, showIn3D, sliceLogic

MARGIN_MM = 14.0
# Only views of one group draw each other's planes as lines; of the rows of a view one is enough.
SAX_GROUP, OTHER_GROUP = 71, 72


@dataclass(frozen=True)
class ShownFrame:
    """The displayed frame of a result in the world: labels (Z, Y, X) on a grid, and the long axis."""

    labels: np.ndarray
    grid: Grid
    axis: LongAxis


class LaxComparison:
    """Shows a result in the comparison's layout until it is left again.

    nodes: the result. images: real long-axis images; the planes of views without one follow from the anatomy.
    Raises InputError if no long axis was found in the reconstruction.
    """

    def __init__(self, nodes: ResultNodes, images: Sequence[LaxImage] = ()):
        self._nodes = nodes
        self._images = imagesByView(images, self._shownFrame().axis, nodes.record["input"]["frames"])
        self._helpers = HelperNodes()
        self._views = FittedViews()
        self._outlines = SegmentationOutlines(nodes.segmentation)
        self._layoutBefore: int | None = None
        self._fade = 1.0
        self._inRegister = True

    @property
    def views(self) -> dict[str, str | None]:
        """Name of the real image of each view; None if its plane follows from the anatomy."""
        return {view: self._images[view].node.GetName() if view in self._images else None for view in VIEWS}

    @property
    def isShown(self) -> bool:
        return self._layoutBefore is not None

    def enter(self) -> None:
        """Show the layout, every view on its plane."""
        if self.isShown:
            return
        self._layoutBefore = layouts.setLayout(bool(self._images))
        names = [viewName(view, row) for view in VIEWS for row in (RECONSTRUCTION, LAX)]
        self._outlines.show([*names, SAX], without=[viewName(view, STACK) for view in VIEWS])
        self.update()
        self._setUpShortAxis()

    def leave(self) -> None:
        """Restore the user's layout and remove the nodes of the comparison."""
        if not self.isShown:
            return
        self._views.release()
        for view in VIEWS:
            showIn3D(viewName(view, RECONSTRUCTION), False)
        self._outlines.remove()
        layouts.restoreLayout(self._layoutBefore)
        self._layoutBefore = None
        self._helpers.remove()

    def update(self) -> None:
        """Show the displayed frame of the result; planes without a real image follow the heart."""
        if not self.isShown or self._nodes.frame is None:
            return
        shown = self._shownFrame()
        self._outlines.update()
        acquired = nearestAcquiredSlices if self._inRegister else slicesBeforeRegister
        self._helpers.showAcquired(self._nodes, *acquired(self._nodes))
        when = self._nodes.frameTime, self._nodes.fractionOfCycle
        planes = self.planes(shown)
        for view in VIEWS:
            image = self._images.get(view)
            if image is not None:
                self._helpers.showLax(view, image, image.frameNearest(*when))
            for row in layouts.rows(bool(self._images)):
                self._setUp(view, row, planes[view])

    def setFade(self, value: float) -> None:
        """Fade the reconstruction's row from the stack as acquired (0) to the reconstruction (1)."""
        self._fade = float(np.clip(value, 0, 1))
        for name in [viewName(view, RECONSTRUCTION) for view in VIEWS] + [SAX]:
            logic = sliceLogic(name)
            if logic is not None:
                logic.GetSliceCompositeNode().SetForegroundOpacity(self._fade)

    def setInRegister(self, value: bool) -> None:
        """Show the acquired slices in register, as the reconstruction has them, or as they were before."""
        self._inRegister = value
        self.update()

    def planes(self, shown: ShownFrame | None = None) -> dict[str, Plane]:
        """The plane of each view in the world, LPS mm, apex up, cropped to the heart."""
        shown = shown or self._shownFrame()
        where = np.argwhere(shown.labels != BACKGROUND)[::7]
        heart = shown.grid.position(where)
        cuts = {}
        for view in LEFT_SIDE_DEGREES:
            image = self._images.get(view)
            cuts[view] = shown.axis.apical(view, image and image.plane, size_mm=200, spacing=1.0)
        sizes = [np.ptp(plane.indices(heart), axis=0).max() for plane in cuts.values()]
        size = max(sizes) + 2 * MARGIN_MM
        return {view: _centred(plane, heart, size) for view, plane in cuts.items()}

    def scores(self) -> list[ViewScore]:
        """Dice and distance in every view whose image has labels, in the displayed frame; may be empty."""
        if self._nodes.frame is None:
            return []
        shown, found = self._shownFrame(), []
        when = self._nodes.frameTime, self._nodes.fractionOfCycle
        for view, image in self._images.items():
            drawn = laxLabels(image, *when)
            if drawn is not None:
                found += score_view(view, shown.labels, shown.grid, drawn, image.plane)
        return found

    def _shownFrame(self) -> ShownFrame:
        if self._nodes.frame is None:
            self._nodes.showFrame(self._nodes.record["ed"] or 0)
        axis = self._nodes.longAxisInWorld
        if axis is None:
            raise InputError(
                _(
                    "The long axis cannot be determined; the reconstruction does not show both ventricles, "
                    "or lies below a transform that is not rigid."
                )
            )
        labels = labelsOfSegmentation(self._nodes.segmentation, self._nodes.volume)
        grid = transformGrid(gridOfVolume(self._nodes.volume), toWorld(self._nodes.volume))
        return ShownFrame(labels, grid, axis)

    def _setUp(self, view: str, row: str, plane: Plane) -> None:
        """Set up one slice view: its plane, and the images of its row."""
        logic = sliceLogic(viewName(view, row))
        composite, node = logic.GetSliceCompositeNode(), logic.GetSliceNode()
        acquired, labels = self._helpers.acquiredID, self._helpers.labelsID
        volume = self._nodes.volume.GetID()
        background = {STACK: acquired, RECONSTRUCTION: acquired, LAX: self._helpers.laxID(view)}[row]
        composite.SetBackgroundVolumeID(background)
        composite.SetForegroundVolumeID(volume if row == RECONSTRUCTION else None)
        composite.SetForegroundOpacity(self._fade if row == RECONSTRUCTION else 0.0)
        composite.SetLabelVolumeID(labels if row == STACK else None)
        composite.SetLabelOpacity(1.0)
        node.SetUseLabelOutline(True)
        node.SetViewGroup(SAX_GROUP if row == RECONSTRUCTION else OTHER_GROUP)
        self._views.show(node, plane)
        if row == RECONSTRUCTION:
            showIn3D(viewName(view, row), True)

    def _setUpShortAxis(self) -> None:
        """Set up the short-axis view: through the middle of the ventricle, with the planes as lines."""
        shown = self._shownFrame()
        grid, size = shown.grid, self.planes(shown)["4ch"].shape[0]
        up = -unit(grid.step_y)
        plane = Plane(shown.axis.centre, unit(grid.step_x), -up, (size, size))
        heart = grid.position(np.argwhere(shown.labels != BACKGROUND)[::7])
        logic = sliceLogic(SAX)
        composite = logic.GetSliceCompositeNode()
        composite.SetBackgroundVolumeID(self._helpers.acquiredID)
        composite.SetForegroundVolumeID(self._nodes.volume.GetID())
        composite.SetForegroundOpacity(self._fade)
        logic.GetSliceNode().SetViewGroup(SAX_GROUP)
        self._views.show(logic.GetSliceNode(), _centred(plane, heart, float(size)))
        for name in [*(viewName(view, RECONSTRUCTION) for view in VIEWS), SAX]:
            if (displayNode := sliceLogic(name).GetSliceDisplayNode()) is not None:
                displayNode.SetIntersectingSlicesVisibility(True)
        # The view redraws the lines when its own node changes, not when the other views' displays do.
        logic.GetSliceNode().Modified()


def _centred(plane: Plane, points: np.ndarray, size: float) -> Plane:
    """A square part of ``plane``, whose pixels are 1 mm, ``size`` mm wide, centred on ``points``."""
    where = plane.indices(points)
    count = round(size) + 1
    row, column = (where.min(0) + where.max(0)) / 2 - (count - 1) / 2
    origin = plane.origin + column * plane.step_x + row * plane.step_y
    return Plane(origin, plane.step_x, plane.step_y, (count, count))
