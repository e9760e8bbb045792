"""Which devices this computer offers, found out by a separate process."""

from __future__ import annotations

import json

from .backend_process import BackendCall


class DeviceQuery:
    """``dmcvr info`` run in the background, as importing PyTorch takes seconds. model: folder, or None."""

    def __init__(self, model: str | None = None):
        self._call = BackendCall(["info", "--json", *(["--model", model] if model else [])])

    def start(self) -> None:
        """Returns at once; once ``isOver``, ``answer`` is there. A query can be started only once."""
        self._call.start()

    @property
    def isOver(self) -> bool:
        return self._call.isOver

    @property
    def answer(self) -> dict | None:
        """What was found; None before the end and after a failure, of which a run would say why."""
        if not self.isOver or self._call.exitCode != 0:
            return None
        try:
            return json.loads(self._call.output)
        except ValueError:
            return None
