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
WIDTH, HEIGHT = 460, 1100


class Panel:
    """The panel of the module ``DMCVRReconstruction``, ``widget`` being its widget class's object."""

    def __init__(self):
        module = importlib.import_module("DMCVRReconstruction")
        slicer.modules.dmcvrreconstruction = SimpleNamespace(path=module.__file__)
        self.parent = slicer.qMRMLWidget()
        self.parent.setLayout(QtWidgets.QVBoxLayout())
        self.parent.isEntered = False
        self.widget = module.DMCVRReconstructionWidget(self.parent)
        self.widget.setup()
        self.ui = self.widget.ui
        self.enter()
        self.parent.resize(WIDTH, HEIGHT)
        self.parent.show()
        self.process()

    def enter(self) -> None:
        """As when the user opens the module."""
        self.parent.isEntered = True
        self.widget.enter()

    def exit(self) -> None:
        """As when the user opens another module."""
        self.parent.isEntered = False
        self.widget.exit()

    def process(self, seconds: float = 0.0) -> None:
        """Let the window live for a while."""
        end = time.monotonic() + seconds
        while True:
            qtStandIn.application.processEvents()
            if time.monotonic() >= end:
                return
            time.sleep(0.002)

    def until(self, condition: Callable[[], bool], seconds: float = 180, press=None) -> float:
        """Let the window live until ``condition`` holds; the longest time, in s, that it could not answer.

        press: a button to click first, which counts as well. Counted is the processor time of the main thread
        between two beats of a timer, which other work on the machine does not lengthen; what the main thread
        does is computing, it never waits.
        """
        last, worst = [time.thread_time()], [0.0]

        def beat():
            now = time.thread_time()
            worst[0] = max(worst[0], now - last[0])
            last[0] = now

        timer = QtCore.QTimer()
        timer.setInterval(BEAT_MS)
        timer.timeout.connect(beat)
        timer.start()
        if press is not None:
            press.click()
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("the panel did not come to what was waited for")
            qtStandIn.application.processEvents()
            time.sleep(0.001)
        # What follows from what was waited for.
        self.process()
        beat()
        timer.stop()
        return worst[0]

    def photograph(self, path) -> None:
        """Write a picture of the panel as a PNG file."""
        layout = QtWidgets.QWidget.layout(self.parent)
        layout.activate()
        self.parent.resize(WIDTH, layout.totalHeightForWidth(WIDTH))
        self.process(0.1)
        self.parent.grab().save(str(path))

    def close(self) -> None:
        """As when Slicer closes."""
        self.widget.cleanup()
        self.parent.setMRMLScene(None)
        self.parent.close()
        self.parent.deleteLater()
        self.process()
        sys.modules.pop("DMCVRReconstruction", None)
