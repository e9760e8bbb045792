"""The button that shows how thick the wall is, and the measurement behind it."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Generator

import qt
import slicer
from slicer.i18n import tr as _

from ..scene.result_nodes import ResultNodes
from ..scene.wall_nodes import framesToMeasure, isWallShown, measureWall, showWall

PAUSE_MS = 5  # between parts of the measurement, for the window to live
MEASUREMENT = "dmcvr.anatomy.walls"
"""Needs parts of SciPy and scikit-image that take a quarter of a second to import."""


class WallPanel:
    """Measures one frame after the other, part by part, so that the window stays responsive, in whichever
    module the user is. ui: the panel's widgets.
    """

    def __init__(self, ui):
        self._ui = ui
        self._nodes: ResultNodes | None = None
        self._parts: Generator | None = None
        self._import: threading.Thread | None = None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.connect("timeout()", self._measure)
        ui.wallButton.connect("toggled(bool)", self._onToggled)
        ui.wallLabel.visible = False

    def show(self, nodes: ResultNodes | None) -> None:
        """Offer the wall of ``nodes``, or nothing."""
        if nodes is None or self._nodes is None or nodes.volume is not self._nodes.volume:
            self.stop()
        self._nodes = nodes
        self._ui.wallButton.visible = nodes is not None and any(nodes.record["long_axis"])
        isShown = nodes is not None and isWallShown(nodes)
        if nodes is not None and not isShown:
            showWall(nodes, False)  # the model may have been hidden or removed elsewhere
        self._ui.wallButton.checked = isShown
        self.resume()

    def resume(self) -> None:
        """Measure what is shown and was not measured yet, or was edited since."""
        if self._nodes is None or not self._ui.wallButton.checked:
            return
        if self._import is None:
            self._import = threading.Thread(
                target=_import, args=(MEASUREMENT,), name="DMCVR import", daemon=True
            )
            self._import.start()
        self._timer.start()

    def stop(self) -> None:
        """Let go of the result, which may be replaced or removed now."""
        self._timer.stop()
        self._nodes, self._parts = None, None
        self._ui.wallLabel.visible = False

    def _onToggled(self, checked: bool) -> None:
        if self._nodes is None:
            return
        showWall(self._nodes, checked)
        self._parts = None
        self._ui.wallLabel.visible = False
        self.resume()

    def _measure(self) -> None:
        nodes = self._nodes
        if nodes is None or any(node.GetScene() is None for node in nodes.nodes()):
            self.stop()
            return
        if self._import.is_alive():
            self._timer.start()
            return
        left = framesToMeasure(nodes)
        if self._parts is None and left:
            self._parts = measureWall(nodes, left[0])
            count = len(nodes.record["frames"])
            self._ui.wallLabel.text = _("Measuring the wall, frame {done} of {count} ...").format(
                done=count - len(left) + 1, count=count
            )
        self._ui.wallLabel.visible = self._parts is not None
        if self._parts is None:
            return
        try:
            next(self._parts)
        except StopIteration:
            self._parts = None
        except Exception:
            self._parts = None
            self._ui.wallButton.checked = False
            with slicer.util.tryWithErrorDisplay(_("The wall's thickness cannot be measured.")):
                raise
            return
        self._timer.start()


def _import(name: str) -> None:
    """Import a module ahead; where that fails, the import by its user tells why."""
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
