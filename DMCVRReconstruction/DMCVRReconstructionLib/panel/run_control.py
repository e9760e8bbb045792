"""The buttons that start and cancel a computation, and its progress."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import qt
import slicer
from dmcvr.core.errors import CancelledError
from slicer.i18n import tr as _

from ..running.errors import WorkerError
from ..running.run import Run
from ..running.time_estimate import duration, rememberStepTimes

POLL_MS = 50


@dataclass(frozen=True)
class Action:
    """What a button starts.

    title, toolTip: of the idle button. start: starts the run, or raises. finished: is given its result, or
    None.
    """

    button: object
    title: str
    toolTip: str
    start: Callable[[], Run]
    finished: Callable[[object], None]


class RunControl:
    """Runs one computation at a time, polled by a timer so that the window stays responsive; the button that
    started it cancels it.

    ui: the panel's widgets.
    """

    def __init__(self, ui, actions: list[Action]):
        self._ui, self._actions = ui, actions
        self.run: Run | None = None
        self._action = actions[-1]
        self._device = "cpu"
        self._isEnding = False
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._poll)
        for action in actions:
            action.button.connect(
                "clicked(bool)", lambda checked=False, chosen=action: self._onButton(chosen)
            )
        ui.logButton.connect("toggled(bool)", self._onLog)
        ui.logText.visible = False
        self._showIdle()

    @property
    def isRunning(self) -> bool:
        return self.run is not None

    def allow(self, reason: str | None, device: str = "cpu") -> None:
        """Enable the buttons, unless there is a ``reason`` against it, which is shown."""
        self._device = device
        if not self.isRunning:
            for action in self._actions:
                action.button.enabled = reason is None
                action.button.toolTip = reason or action.toolTip
            self._ui.reasonLabel.text = reason or ""
            self._ui.reasonLabel.visible = reason is not None

    def cancel(self) -> None:
        """Cancel the run, if there is one; the panel shows when it has ended."""
        if self.run is not None:
            self._isEnding = True
            self._action.button.enabled = False
            self._ui.progressLabel.text = _("Cancelling ...")
            self.run.cancel()

    def stop(self) -> None:
        """Cancel the run without waiting or showing anything, as when Slicer closes."""
        self._timer.stop()
        if self.run is not None:
            self.run.cancel()
            self.run = None

    def _onButton(self, action: Action) -> None:
        if self.isRunning:
            self.cancel()
            return
        self._ui.logText.plainText = ""
        with slicer.util.tryWithErrorDisplay(_("The computation cannot start.")):
            self.run = action.start()
        self._action = action
        for other in self._actions:
            other.button.enabled = other is action
        action.button.text = _("Cancel")
        action.button.toolTip = _("Cancel the computation; the scene remains unchanged")
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
            self._action.finished(run.result)
        elif isinstance(run.error, CancelledError):
            self._ui.progressLabel.text = str(run.error)
            self._action.finished(None)
        else:
            self._fail(run.error)

    def _fail(self, error: Exception) -> None:
        self._ui.progressLabel.text = str(error)
        if isinstance(error, WorkerError):
            logging.error("DMCVR: %s\n%s", error, error.detail)
        self._action.finished(None)
        with slicer.util.tryWithErrorDisplay(_("The computation failed.")):
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
        self._action.button.enabled = run.stage != "import"

    def _showIdle(self) -> None:
        self._isEnding = False
        for action in self._actions:
            action.button.text = action.title
            action.button.enabled = True
        self._ui.progressBar.visible = False
