"""How a long computation tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)``; an exception raised in it ends the run."""


def no_progress(stage: str, done: int, total: int) -> None:
    """The progress of those who do not want to be told."""
