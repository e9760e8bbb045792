"""The button that starts and cancels a reconstruction, and its progress."""

from __future__ import annotations

import logging

import qt
import slicer
from dmcvr.core.errors import CancelledError
from slicer.i18n import tr as _

from ..running.errors import WorkerError
from ..running.reconstruction_run import Run
from ..running.time_estimate import duration, rememberStepTimes

POLL_MS = 50


class RunControl:
    """Runs one reconstruction at a time, polled by a timer so that the window stays responsive.

    ui: the panel's widgets. makeRun: starts a run, or raises. onFinished: is given the nodes of the result,
    or None.
    """

    def __init__(self, ui, makeRun, onFinished):
        self._ui, self._makeRun, self._onFinished = ui, makeRun, onFinished
        self.run: Run | None = None
        self._device = "cpu"
        self._isEnding = False
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._poll)
        ui.runButton.connect("clicked(bool)", self._onButton)
        ui.logButton.connect("toggled(bool)", self._onLog)
        ui.logText.visible = False
        self._showIdle()

    @property
    def isRunning(self) -> bool:
        return self.run is not None

    def allow(self, reason: str | None, device: str = "cpu") -> None:
        """Enable the button, unless there is a ``reason`` against it, which is shown."""
        self._device = device
        if not self.isRunning:
            self._ui.runButton.enabled = reason is None
            self._ui.runButton.toolTip = reason or _("Reconstruct the missing slices")
            self._ui.reasonLabel.text = reason or ""
            self._ui.reasonLabel.visible = reason is not None

    def cancel(self) -> None:
        """Cancel the run, if there is one; the panel shows when it has ended."""
        if self.run is not None:
            self._isEnding = True
            self._ui.runButton.enabled = False
            self._ui.progressLabel.text = _("Cancelling ...")
            self.run.cancel()

    def stop(self) -> None:
        """Cancel the run without waiting or showing anything, as when Slicer closes."""
        self._timer.stop()
        if self.run is not None:
            self.run.cancel()
            self.run = None

    def _onButton(self, checked=False) -> None:
        if self.isRunning:
            self.cancel()
            return
        self._ui.logText.plainText = ""
        with slicer.util.tryWithErrorDisplay(_("The reconstruction cannot start.")):
            self.run = self._makeRun()
        self._ui.runButton.text = _("Cancel")
        self._ui.runButton.toolTip = _("Cancel the reconstruction; the scene remains unchanged")
        self._ui.progressBar.visible = True
        self._ui.progressLabel.visible = True
        self._show()
        self._timer.start()

    def _onLog(self, shown: bool) -> None:
        if shown and self.run is not None:
            self._ui.logText.plainText = self.run.log
        self._ui.logText.visible = shown

    def _poll(self) -> None:
        run = self.run
        isOver = run.poll()
        self._show()
        if not isOver:
            return
        self._timer.stop()
        self.run = None
        self._ui.logText.plainText = run.log
        self._showIdle()
        if run.error is None:
            rememberStepTimes(self._device, run.stepTimes)
            self._ui.progressLabel.text = _("Done in {time}.").format(time=duration(run.seconds))
            self._onFinished(run.result)
        elif isinstance(run.error, CancelledError):
            self._ui.progressLabel.text = str(run.error)
            self._onFinished(None)
        else:
            self._fail(run.error)

    def _fail(self, error: Exception) -> None:
        self._ui.progressLabel.text = str(error)
        if isinstance(error, WorkerError):
            logging.error("DMCVR: %s\n%s", error, error.detail)
        self._onFinished(None)
        with slicer.util.tryWithErrorDisplay(_("The reconstruction failed.")):
            raise error

    def _show(self) -> None:
        run = self.run
        titles = {
            "load": _("Loading the model"),
            "segment": _("Segmenting slice {done} of {total}"),
            "align": _("Aligning slices, gap {done} of {total}"),
            "invert": _("Inverting slice {done} of {total}"),
            "generate": _("Generating slice {done} of {total}"),
            "import": _("Adding the result to the scene"),
        }
        self._ui.progressBar.maximum = max(run.total, 1)
        self._ui.progressBar.value = run.done
        text = titles[run.stage].format(done=run.done, total=run.total)
        if run.stage != "import":
            text += ", " + _("about {time} left").format(time=duration(run.secondsLeft))
        if self._isEnding:
            return
        self._ui.progressLabel.text = text
        # Adding the result cannot be cancelled; it takes seconds at most.
        self._ui.runButton.enabled = run.stage != "import"

    def _showIdle(self) -> None:
        self._isEnding = False
        self._ui.runButton.text = _("Reconstruct")
        self._ui.runButton.enabled = True
        self._ui.progressBar.visible = False
