"""A module's panel, opened and looked after as Slicer does."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace

import slicer
from PySide6 import QtCore, QtWidgets

from . import qt as qtStandIn

BEAT_MS = 5


class Panel:
    """The panel of the module ``DMCVRReconstruction``, ``widget`` being its widget class's object."""

    def __init__(self):
        module = importlib.import_module("DMCVRReconstruction")
        slicer.modules.dmcvrreconstruction = SimpleNamespace(path=module.__file__)
        self.parent = slicer.qMRMLWidget()
        self.parent.setLayout(QtWidgets.QVBoxLayout())
        self.parent.isEntered = True
        self.widget = module.DMCVRReconstructionWidget(self.parent)
        self.widget.setup()
        self.widget.enter()
        self.ui = self.widget.ui
        self.parent.resize(460, 1100)
        self.parent.show()
        self.process()

    def process(self, seconds: float = 0.0) -> None:
        """Let the window live for a while."""
        end = time.monotonic() + seconds
        while True:
            qtStandIn.application.processEvents()
            if time.monotonic() >= end:
                return
            time.sleep(0.002)

    def until(self, condition: Callable[[], bool], seconds: float = 120) -> float:
        """Let the window live until ``condition`` holds; the longest time, in s, that it could not answer.

        Measured as the longest gap between the beats of a timer of 5 ms.
        """
        beats = [time.perf_counter()]
        worst = [0.0]

        def beat():
            now = time.perf_counter()
            worst[0] = max(worst[0], now - beats[0])
            beats[0] = now

        timer = QtCore.QTimer()
        timer.setInterval(BEAT_MS)
        timer.timeout.connect(beat)
        timer.start()
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("the panel did not come to what was waited for")
            qtStandIn.application.processEvents(QtCore.QEventLoop.AllEvents, 20)
            time.sleep(0.001)
        timer.stop()
        return worst[0] - BEAT_MS / 1000

    def photograph(self, path) -> None:
        """Write a picture of the panel as a PNG file."""
        self.process(0.1)
        self.parent.grab().save(str(path))

    def close(self) -> None:
        """As when Slicer closes."""
        self.widget.cleanup()
        self.parent.close()
        self.process()
        sys.modules.pop("DMCVRReconstruction", None)
