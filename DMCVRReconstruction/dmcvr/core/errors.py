"""Errors a user can do something about, and faults that are nobody's mistake, with what to do."""

from __future__ import annotations

import errno


class InputError(ValueError):
    """Bad usage or bad input; the message is one plain sentence that says what is wrong and what to do."""


class CancelledError(Exception):
    """The user asked the run to stop."""


class StorageError(RuntimeError):
    """The results could not be written for want of a place; the message says what to do."""


GPU_MEMORY = (
    "The graphics card ran out of memory: choose CPU as the device, or close other programs that use the "
    "graphics card."
)
MEMORY = (
    "The computer ran out of memory: choose a larger slice spacing or a single frame, or close other "
    "programs."
)
FULL = "The disk is full, or a file may not grow any larger: make room, or choose an output on another disk."
NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def explain_fault(error: Exception) -> tuple[str, str] | None:
    """(kind, sentence) for such a fault, the kind being "memory" or "disk"; None for any other error.

    torch has no one type for lack of memory, and is not imported here.
    """
    text = str(error).lower()
    if type(error).__name__ == "OutOfMemoryError" or "cuda out of memory" in text:
        return "memory", GPU_MEMORY
    if isinstance(error, MemoryError) or "not enough memory" in text or "cannot allocate memory" in text:
        return "memory", MEMORY
    if isinstance(error, StorageError):
        return "disk", str(error)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return "disk", FULL
    return None
