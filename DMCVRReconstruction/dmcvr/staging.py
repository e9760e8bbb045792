"""Files that appear whole or not at all: written to a hidden folder beside their place, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from .errors import InputError


@contextmanager
def staged_folder(target: Path, numbered: str = "") -> Iterator[Path]:
    """A hidden folder to write into, whose files lie in ``target`` once the block has ended well.

    A new ``target`` appears in one step. In one that exists, files of the same names are replaced, and files
    that match the pattern ``numbered`` are removed, as an earlier run may have left more of them. If the
    block raises, nothing is left, nor any parent folder that was made. Raises InputError if ``target`` cannot
    be written to, before the block runs.
    """
    target = Path(target).absolute()
    with made_folder(target.parent):
        if target.exists() and not target.is_dir():
            raise InputError("The output is an existing file, but a folder is needed; choose another name.")
        # A folder that exists may be a disk of its own, or its parent closed to the user.
        with _hidden(target if target.is_dir() else target.parent) as hidden:
            written = hidden / target.name
            written.mkdir()
            yield written
            if not target.is_dir():
                written.replace(target)
                return
            for path in target.glob(numbered) if numbered else ():
                path.unlink()
            for path in sorted(written.iterdir()):
                path.replace(target / path.name)


@contextmanager
def staged_file(target: Path) -> Iterator[Path]:
    """A hidden path of the same name to write to, which is ``target`` once the block has ended well.

    If the block raises, nothing is left. Raises InputError if ``target`` cannot be written, before the block
    runs.
    """
    target = Path(target).absolute()
    with made_folder(target.parent):
        if target.is_dir():
            raise InputError("The output is a folder, but a file name is needed.")
        with _hidden(target.parent) as hidden:
            yield hidden / target.name
            (hidden / target.name).replace(target)


def check_apart(target: Path, inputs: Iterable[Path], names: Iterable[str] = ()) -> None:
    """Raise InputError where writing to ``target`` would overwrite an input or mix with a folder of inputs.

    names: patterns of the file names that will be written, if ``target`` is a folder.
    """
    target = Path(target).resolve()
    for path in (Path(item).resolve() for item in inputs):
        mixed = path.is_dir() and path in target.parents
        replaced = path.parent == target and any(fnmatch(path.name, name) for name in names)
        if path == target or mixed or replaced:
            raise InputError("The output would overwrite the input or lie among it; choose another place.")


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Makes ``folder`` and its parents; those that were missing and are still empty are removed again if the
    block raises. Raises InputError if they cannot be made.
    """
    folder = Path(folder).absolute()
    # os.path, because Path.exists raises where a folder may not be looked into.
    missing = [item for item in (folder, *folder.parents) if not os.path.exists(item)]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError("The output folder cannot be made; choose another place.") from error
        yield
    except BaseException:
        for item in missing:
            if os.path.isdir(item) and not os.listdir(item):
                item.rmdir()
        raise


@contextmanager
def _hidden(parent: Path) -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix=".dmcvr-", dir=parent))
    except OSError as error:
        raise InputError("The output folder cannot be written to; choose another one.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
