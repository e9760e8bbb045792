"""Whose files lie in an output folder: this tool's are listed there, with their hashes, in a hidden file.

A file that is not listed, or was changed since it was written, as by an expert who corrected a segmentation,
is not this tool's to replace.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from ..core.errors import InputError
from .untrusted import read_json

LISTED = ".dmcvr.json"
"""Name of the list: an object of names and, for each, the SHA-256 of what may lie there."""
ANY = "*"
"""In place of a hash: whatever lies there."""
BLOCK = 1 << 20
IsOwn = Callable[[Path], bool]
"""Whether this tool wrote the file at a path as it is now."""


def listed(path: Path) -> bool:
    """Whether the list beside ``path`` holds it as it is now."""
    hashes = _list(path.parent).get(path.name, [])
    try:
        return ANY in hashes or (path.is_file() and not path.is_symlink() and _hash(path) in hashes)
    except FileNotFoundError:  # gone by now, so that nothing is replaced
        return True


def claim(folder: Path, names: Iterable[str]) -> None:
    """List files and folders that will be written to again and again, as by a training run."""
    held = {**_list(folder), **{name: [ANY] for name in names}}
    beside = folder / f"{LISTED}-{os.getpid()}"  # the parts of a cohort may come here at the same time
    beside.write_text(_as_text(held), encoding="utf-8")
    beside.replace(folder / LISTED)


def check_replaceable(folder: Path, patterns: Iterable[str], is_own: IsOwn = listed) -> None:
    """Raise InputError where a file in ``folder`` that one of ``patterns`` matches is not this tool's."""
    if not folder.is_dir():
        return
    for path in sorted({path for pattern in patterns if pattern for path in folder.glob(pattern)}):
        if not is_own(path):
            raise InputError(
                f"The output folder holds {path.name}, which dmcvr did not write, or which was changed "
                "since; choose another folder, or move it away."
            )


def list_files(folder: Path, ready: Iterable[Path], *, final: bool) -> str:
    """The list of ``folder`` with the files ``ready`` in it, as JSON.

    final: whether they lie in place; until then what they replace is listed as well, so that a run that is
    killed meanwhile leaves nothing that counts as another's.
    """
    held = _list(folder)
    for path in ready:
        before = [] if final else held.get(path.name, [])
        held[path.name] = list(dict.fromkeys([*before, _hash(path)]))
    return _as_text(held)


def _as_text(held: dict[str, list[str]]) -> str:
    return json.dumps(held, indent=1, sort_keys=True) + "\n"


def _list(folder: Path) -> dict[str, list[str]]:
    try:
        held = read_json(folder / LISTED)
    except (OSError, ValueError):  # there is none, or it is not one of ours
        return {}
    return {
        name: [item for item in hashes if isinstance(item, str)]
        for name, hashes in held.items()
        if isinstance(hashes, list)
    }


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
