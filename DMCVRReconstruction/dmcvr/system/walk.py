"""The files below a folder, links followed; folders that are reached in several ways, as by a link that leads
back, count once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

OnDenied = Callable[[Path], None]
"""Called with a folder that may not be looked into."""


def walk(
    folder: Path, on_denied: OnDenied | None = None, enter: Callable[[str], bool] | None = None
) -> Iterator[tuple[Path, list[Path]]]:
    """Every folder from ``folder`` down, sorted, with its regular files, sorted.

    enter: whether a folder of that name is looked into; all are if None.
    """
    seen: set[tuple[int, int]] = set()

    def below(place: Path) -> Iterator[tuple[Path, list[Path]]]:
        try:
            status = place.stat()
            names = sorted(os.listdir(place))
        except OSError:  # denied, or a link that leads nowhere
            if on_denied is not None:
                on_denied(place)
            return
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        paths = [place / name for name in names]
        yield place, [path for path in paths if os.path.isfile(path)]
        for path in paths:
            if os.path.isdir(path) and (enter is None or enter(path.name)):
                yield from below(path)

    yield from below(folder)


def files_below(folder: Path) -> list[Path]:
    """The regular files in ``folder`` and below, sorted."""
    return sorted(path for _, files in walk(folder) for path in files)
