"""One heap for all threads of the command.

GNU's C library gives threads heaps of their own, and what one of them has freed does not serve the others,
which with batches side by side takes memory and saves no time.
"""

from __future__ import annotations

import ctypes
import sys

ARENA_MAX = -8
"""M_ARENA_MAX of mallopt(3)."""


def share_heap() -> None:
    """Have threads that begin from now on share the main thread's heap, where GNU's C library allocates."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(ARENA_MAX, 1)
