"""Watches a result's segmentation for edits, in whichever module they are made."""

from __future__ import annotations

import qt
import slicer

from ..scene.edited_volumes import measureAnew
from ..scene.result_nodes import ResultNodes

WAIT_MS = 300  # a stroke of the brush makes many events


class EditWatch:
    """Measures a frame anew once an edit of it is over. onMeasured: called when measurements have changed."""

    def __init__(self, onMeasured):
        self._onMeasured = onMeasured
        self._nodes: ResultNodes | None = None
        self._tags: list[int] = []
        self._changed: set[int] = set()
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.connect("timeout()", self._measure)

    def observe(self, nodes: ResultNodes | None) -> None:
        """Watch ``nodes``, or nothing any more."""
        known = self._nodes.segmentation if self._nodes is not None else None
        if nodes is not None and nodes.segmentation is known:
            self._nodes = nodes  # its cine may have been replaced
            return
        for tag in self._tags:
            known.RemoveObserver(tag)
        self._timer.stop()
        self._changed.clear()
        self._nodes, self._tags = nodes, []
        if nodes is not None:
            segmentation = slicer.vtkSegmentation
            events = (
                segmentation.SourceRepresentationModified,
                segmentation.SegmentAdded,
                segmentation.SegmentRemoved,
            )
            self._tags = [nodes.segmentation.AddObserver(event, self._onEvent) for event in events]
            self._onEvent()  # it may have been edited while nobody watched

    def _onEvent(self, caller=None, event=None) -> None:
        # A change of frame brings these events as well; measuring then finds that nothing has changed.
        frame = self._nodes.frame
        if frame is not None:
            self._changed.add(frame)
            self._timer.start()

    def _measure(self) -> None:
        """One frame at a time, so that the window stays responsive."""
        if self._nodes is None or self._nodes.table.GetScene() is None or not self._changed:
            return
        frame = self._changed.pop()
        if frame < len(self._nodes.record["frames"]) and measureAnew(self._nodes, [frame]):
            self._onMeasured()
        if self._changed:
            self._timer.start()
