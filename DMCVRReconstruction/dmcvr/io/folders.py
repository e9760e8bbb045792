"""The files of a folder: links are followed, and what cannot be looked into is told."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..system.walk import walk
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
    """The regular files in ``folder`` and below, links followed.

    A file or folder that is reached in several ways counts once, so links that form a loop come to an end.
    """
    files: dict[tuple[int, int], Path] = {}
    left_out: Counter[tuple[str, str]] = Counter()
    for place, found in walk(folder, on_denied=lambda _: left_out.update([("folder", NO_ACCESS)])):
        for path in found:
            status = path.stat()
            files.setdefault((status.st_dev, status.st_ino), path)
        for path in place.iterdir():
            if path.is_symlink() and not os.path.exists(path):
                left_out["link", NOWHERE] += 1
            elif not os.path.isfile(path) and not os.path.isdir(path):
                left_out["file", NO_FILE] += 1
    told = (
        LeftOut(what, count, reason, unread=reason != NO_FILE)
        for (what, reason), count in sorted(left_out.items())
    )
    return Listing(tuple(sorted(files.values())), tuple(told))
