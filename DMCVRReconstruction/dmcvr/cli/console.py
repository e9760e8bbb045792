"""The terminal as it is: perhaps not UTF-8, closed, or a pipe that nobody reads any more."""

from __future__ import annotations

import os
import sys


def prepare_console() -> None:
    """Make sure that there is a standard input, output and error, and that text of any kind can be printed.

    A closed one would be handed to the next file that is opened, and what libraries print would land there.
    Characters that a terminal does not know, and bytes of file names that are no text, are printed as codes.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):  # not what tests put in its place
            stream.reconfigure(errors="backslashreplace")


def flush_console() -> None:
    """Print what is still held back, unless nobody reads it any more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            abandon(stream.fileno())


def abandon(number: int) -> None:
    """Let a stream lead nowhere. Otherwise Python complains on its way out that it cannot flush it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
