"""Keeping what compiled libraries print themselves off the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk


@contextmanager
def quiet() -> Iterator[None]:
    """Run a block without ITK's warnings and without anything on the process's standard error.

    Some of ITK's readers print past every setting of its own, so the file descriptor itself is turned away;
    errors still arrive as exceptions.
    """
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        saved = os.dup(2)
    except OSError:  # no standard error at all, as in a windowed process
        saved = None
    try:
        if saved is not None:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        if saved is not None:
            os.dup2(saved, 2)
            os.close(saved)
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
