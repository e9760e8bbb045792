"""Which devices this computer offers, found out by a separate process."""

from __future__ import annotations

import json
import threading

from .backend_process import startBackend


class DeviceQuery:
    """``dmcvr info`` run in the background, as importing PyTorch takes seconds. model: folder, or None."""

    def __init__(self, model: str | None = None):
        self._model = model
        self.answer: dict | None = None
        self.isOver = False
        self._thread = threading.Thread(target=self._ask, name="DMCVR devices", daemon=True)

    def start(self) -> None:
        """Returns at once; once ``isOver``, ``answer`` is what was found, or None after a failure."""
        self._thread.start()

    def _ask(self) -> None:
        arguments = ["info", "--json", *(["--model", self._model] if self._model else [])]
        try:
            process = startBackend(arguments)
            out, _errors = process.communicate()
            self.answer = json.loads(out) if process.returncode == 0 else None
        except (OSError, ValueError):  # the panel then shows no device; a run would say why
            self.answer = None
        self.isOver = True
