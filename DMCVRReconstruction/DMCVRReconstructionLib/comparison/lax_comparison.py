"""Judging a reconstruction on the long-axis planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dmcvr.anatomy.long_axis import LEFT_SIDE_DEGREES, LongAxis
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, Plane, unit
from dmcvr.core.labels import BACKGROUND
from slicer.i18n import tr as _

from ..scene.result_nodes import ResultNodes
from ..scene.segmentation_nodes import labelsOfSegmentation
from ..scene.volume_nodes import gridOfVolume, toWorld, transformGrid
from . import layouts
from .helper_nodes import HelperNodes, acquiredBlocks
from .lax_images import LaxImage, byView, laxLabels
from .layouts import LAX, RECONSTRUCTION, SAX, STACK, VIEWS, viewName
from .slice_views import SegmentationDisplay, lookAlong, showIn3D, sliceLogic
from .view_scores import ViewScore, scoreView

MARGIN_MM = 14.0
SAX_GROUP, OTHER_GROUP = 71, 72  # lines are drawn among views of one group: a plane's rows need only one


@dataclass(frozen=True)
class Subject:
    """The shown frame of a result, in the world."""

    labels: np.ndarray
    grid: Grid
    axis: LongAxis


class LaxComparison:
    """The comparison's layout, from entering to leaving it.

    nodes: the result. images: real long-axis images; for views without one the plane comes from the anatomy.
    Raises InputError where no long axis was found in the reconstruction.
    """

    def __init__(self, nodes: ResultNodes, images: Sequence[LaxImage] = ()):
        self._nodes = nodes
        self._images = byView(images, self._subject().axis)
        self._helpers = HelperNodes()
        self._segmentation = SegmentationDisplay(nodes.segmentation)
        self._layoutBefore: int | None = None
        self._fade = 1.0

    @property
    def views(self) -> dict[str, str | None]:
        """Name of the real image of each view; None where the plane comes from the anatomy."""
        return {view: self._images[view].node.GetName() if view in self._images else None for view in VIEWS}

    @property
    def isShown(self) -> bool:
        return self._layoutBefore is not None

    def enter(self) -> None:
        """Show the layout, with every view on its plane."""
        if self.isShown:
            return
        self._layoutBefore = layouts.setLayout(bool(self._images))
        names = [viewName(view, row) for view in VIEWS for row in (RECONSTRUCTION, LAX)]
        self._segmentation.outlineOnlyIn([*names, SAX])
        self.update()
        self._setUpShortAxis()

    def leave(self) -> None:
        """Bring the user's layout back, and take away what was only for the comparison."""
        if not self.isShown:
            return
        for view in VIEWS:
            showIn3D(viewName(view, RECONSTRUCTION), False)
        self._segmentation.restore()
        if (node := layouts.layoutNode()) is not None:
            node.SetViewArrangement(self._layoutBefore)
        self._layoutBefore = None
        self._helpers.remove()

    def update(self) -> None:
        """Follow the frame that is shown; the planes follow the heart, but for those of real images."""
        if not self.isShown:
            return
        subject = self._subject()
        self._helpers.showAcquired(self._nodes, *acquiredBlocks(self._nodes))
        when = self._nodes.frameTime, self._nodes.fractionOfCycle
        planes = self.planes(subject)
        for view in VIEWS:
            image = self._images.get(view)
            if image is not None:
                self._helpers.showLax(view, image, image.frameNearest(*when))
            for row in layouts.rows(bool(self._images)):
                self._setUp(view, row, planes[view])

    def setFade(self, value: float) -> None:
        """Fade the middle row from the stack as acquired (0) to the reconstruction (1)."""
        self._fade = float(np.clip(value, 0, 1))
        for name in [viewName(view, RECONSTRUCTION) for view in VIEWS] + [SAX]:
            logic = sliceLogic(name)
            if logic is not None:
                logic.GetSliceCompositeNode().SetForegroundOpacity(self._fade)

    def planes(self, subject: Subject | None = None) -> dict[str, Plane]:
        """The plane of each view in the world, LPS mm, apex up, just as large as the heart needs."""
        subject = subject or self._subject()
        where = np.argwhere(subject.labels != BACKGROUND)[::7]
        heart = subject.grid.position(where)
        cuts = {}
        for view in LEFT_SIDE_DEGREES:
            image = self._images.get(view)
            cuts[view] = subject.axis.apical(view, image and image.plane, size_mm=200, spacing=1.0)
        sizes = [np.ptp(plane.indices(heart), axis=0).max() for plane in cuts.values()]
        size = max(sizes) + 2 * MARGIN_MM
        return {view: _centred(plane, heart, size) for view, plane in cuts.items()}

    def scores(self) -> list[ViewScore]:
        """Dice and distance in every view whose image has labels, at the shown frame; may be empty."""
        subject, found = self._subject(), []
        when = self._nodes.frameTime, self._nodes.fractionOfCycle
        for view, image in self._images.items():
            drawn = laxLabels(image, *when)
            if drawn is not None:
                found += scoreView(view, subject.labels, subject.grid, drawn, image.plane)
        return found

    def _subject(self) -> Subject:
        axis = self._nodes.longAxis
        if axis is None:
            raise InputError(
                _("The reconstruction shows no left and right ventricle to find the long axis by.")
            )
        matrix = toWorld(self._nodes.volume)
        turn = matrix[:3, :3]
        moved = LongAxis(turn @ axis.centre + matrix[:3, 3], turn @ axis.apex, turn @ axis.rv)
        labels = labelsOfSegmentation(self._nodes.segmentation, self._nodes.volume)
        return Subject(labels, transformGrid(gridOfVolume(self._nodes.volume), matrix), moved)

    def _setUp(self, view: str, row: str, plane: Plane) -> None:
        """One slice view on its plane, with what its row shows."""
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
        lookAlong(node, plane)
        if row == RECONSTRUCTION:
            showIn3D(viewName(view, row), True)

    def _setUpShortAxis(self) -> None:
        """The short-axis view through the middle of the ventricle, with the planes as lines."""
        subject = self._subject()
        grid, size = subject.grid, self.planes(subject)["4ch"].shape[0]
        up = -unit(grid.step_y)
        plane = Plane(subject.axis.centre, unit(grid.step_x), -up, (size, size))
        heart = grid.position(np.argwhere(subject.labels != BACKGROUND)[::7])
        logic = sliceLogic(SAX)
        composite = logic.GetSliceCompositeNode()
        composite.SetBackgroundVolumeID(self._helpers.acquiredID)
        composite.SetForegroundVolumeID(self._nodes.volume.GetID())
        composite.SetForegroundOpacity(self._fade)
        logic.GetSliceNode().SetViewGroup(SAX_GROUP)
        lookAlong(logic.GetSliceNode(), _centred(plane, heart, float(size)))
        for name in [*(viewName(view, RECONSTRUCTION) for view in VIEWS), SAX]:
            if (displayNode := sliceLogic(name).GetSliceDisplayNode()) is not None:
                displayNode.SetIntersectingSlicesVisibility(True)
        # The view draws lines anew when its own node changes, not when the other views' displays do.
        logic.GetSliceNode().Modified()


def _centred(plane: Plane, points: np.ndarray, size: float) -> Plane:
    """A square part of the plane, which has 1 mm a pixel, ``size`` mm wide about the middle of ``points``."""
    where = plane.indices(points)
    count = round(size) + 1
    row, column = (where.min(0) + where.max(0)) / 2 - (count - 1) / 2
    origin = plane.origin + column * plane.step_x + row * plane.step_y
    return Plane(origin, plane.step_x, plane.step_y, (count, count))
