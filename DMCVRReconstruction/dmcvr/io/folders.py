"""The files of a folder: links are followed, and what cannot be looked into is told."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .account import LeftOut

NO_ACCESS = "access is denied, or the disk fails"
NOWHERE = "a link that leads nowhere or to itself"
NO_FILE = "a device, a pipe or a socket"


@dataclass(frozen=True)
class Listing:
    """files: regular files, sorted by path. left_out: what is in the folder besides."""

    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]


def list_files(folder: Path) -> Listing:
    """The regular files in ``folder`` and below.

    Links to files and folders are followed. A file or folder that is reached in several ways counts once, so
    links that form a loop come to an end.
    """
    files: list[Path] = []
    left_out: Counter[tuple[str, str]] = Counter()
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            seen.add(_identity(place.stat()))
            entries = sorted(os.listdir(place))
        except OSError:
            left_out["folder", NO_ACCESS] += 1
            continue
        for entry in entries:
            path = place / entry
            try:
                status = path.stat()
            except OSError:
                what = ("link", NOWHERE) if path.is_symlink() else ("file", NO_ACCESS)
                left_out[what] += 1
                continue
            if _identity(status) in seen:
                continue
            seen.add(_identity(status))
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)
            elif stat.S_ISREG(status.st_mode):
                files.append(path)
            else:
                left_out["file", NO_FILE] += 1
    told = (
        LeftOut(what, count, reason, unread=reason != NO_FILE)
        for (what, reason), count in sorted(left_out.items())
    )
    return Listing(tuple(sorted(files)), tuple(told))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
