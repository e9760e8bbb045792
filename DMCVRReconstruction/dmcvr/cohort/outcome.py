"""How a case ended, as a worker tells it; everything else is in the case's record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """name: of the case. status: "done", "skipped" because its result stood already, or "failed".
    seconds: spent on it. cause: a sentence, of a failure. recorded: whether its record could be written.
    """

    name: str
    status: str
    seconds: float = 0.0
    cause: str = ""
    recorded: bool = True
