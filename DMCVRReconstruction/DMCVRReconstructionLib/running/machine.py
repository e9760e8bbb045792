"""What this machine computes on, asked in another process, and how fast it was, as remembered."""

from __future__ import annotations

import json
import threading

import qt

from .worker import startBackend

SECONDS_KEY = "DMCVR/SecondsEach"


class MachineQuestion:
    """``dmcvr info``, asked in the background, as importing PyTorch takes seconds. model: folder, or None."""

    def __init__(self, model: str | None = None):
        self._model = model
        self.answer: dict | None = None
        self.isOver = False
        self._thread = threading.Thread(target=self._ask, name="DMCVR machine", daemon=True)

    def start(self) -> None:
        """Returns at once; ``answer`` is there, or None for a failure, once ``isOver``."""
        self._thread.start()

    def _ask(self) -> None:
        arguments = ["info", "--json", *(["--model", self._model] if self._model else [])]
        try:
            process = startBackend(arguments)
            out, _errors = process.communicate()
            self.answer = json.loads(out) if process.returncode == 0 else None
        except (OSError, ValueError):  # the panel then shows no device; a run would tell why
            self.answer = None
        self.isOver = True


def rememberedSeconds(device: str) -> dict[str, float]:
    """What a step of each stage took last on ``device``, "cpu" or "cuda"; empty before the first run."""
    text = qt.QSettings().value(f"{SECONDS_KEY}/{device}", "")
    try:
        return {str(stage): float(value) for stage, value in json.loads(text or "{}").items()}
    except (ValueError, AttributeError):  # settings may have been edited by hand
        return {}


def rememberSeconds(device: str, each: dict[str, float]) -> None:
    """Keep ``each`` for the next estimate."""
    qt.QSettings().setValue(f"{SECONDS_KEY}/{device}", json.dumps({**rememberedSeconds(device), **each}))
