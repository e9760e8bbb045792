"""Reading what others wrote: JSON of a bounded size, and files that lie where they should."""

from __future__ import annotations

import json
import os
from pathlib import Path

LARGEST_JSON = 1 << 20  # bytes; model cards and jobs have a few thousand


def read_json(path: Path) -> dict:
    """The object in a JSON file.

    Raises OSError where there is no such file, and ValueError for what is no JSON object, too large, or too
    deeply nested. A device or a pipe, which may have no end, is no file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is no file")
    with path.open("rb") as file:
        text = file.read(LARGEST_JSON + 1)
    if len(text) > LARGEST_JSON:
        raise ValueError(f"{path.name} is larger than {LARGEST_JSON} bytes")
    try:
        held = json.loads(text.decode("utf-8"))
    except RecursionError as error:
        raise ValueError(f"{path.name} is nested too deeply") from error
    if not isinstance(held, dict):
        raise ValueError(f"{path.name} holds no object")
    return held


def lies_inside(folder: Path, name: object) -> bool:
    """Whether ``name`` is a plain name, and what bears it in ``folder``, if anything, lies there itself.

    Not so "..", a path, or a link that leads out of the folder.
    """
    if not isinstance(name, str) or name in ("", ".", "..") or "\0" in name or Path(name).name != name:
        return False
    try:
        os.fsencode(name)
    except UnicodeEncodeError:  # half a character, which JSON can hold and no file name
        return False
    return os.path.dirname(os.path.realpath(folder / name)) == os.path.realpath(folder)
