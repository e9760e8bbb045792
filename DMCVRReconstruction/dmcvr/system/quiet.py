"""Keeping what compiled libraries print themselves off the terminal."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import SimpleITK as sitk

_lock = threading.Lock()
_inside = 0
_restore: list[Callable[[], None]] = []


@contextmanager
def quiet() -> Iterator[None]:
    """Run a block without ITK's warnings and without anything on the process's standard error.

    Some of ITK's readers print past every setting of its own, so the file descriptor itself is turned away;
    errors still arrive as exceptions. Both belong to the whole process: of several threads that are inside,
    the first turns them away and the last turns them back.
    """
    global _inside
    with _lock:
        if _inside == 0:
            _restore[:] = [_without_itk_warnings(), _without_standard_error()]
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                for undo in _restore:
                    undo()


def _without_itk_warnings() -> Callable[[], None]:
    """Turn ITK's warnings off; how to undo it."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    return lambda: sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _without_standard_error() -> Callable[[], None]:
    """Turn the file descriptor of standard error away; how to undo it."""
    try:
        saved = os.dup(2)
    except OSError:  # no standard error at all, as in a windowed process
        return lambda: None
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)

    def undo() -> None:
        os.dup2(saved, 2)
        os.close(saved)

    return undo
