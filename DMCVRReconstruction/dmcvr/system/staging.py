"""Files that appear whole or not at all: written to a hidden folder beside their place, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from ..core.errors import InputError, StorageError
from .ownership import LISTED, IsOwn, check_replaceable, list_files, listed
from .privatefolder import living, private_folder

HIDDEN = ".dmcvr-"
FILE_SUFFIXES = (
    ".nii", ".gz", ".bz2", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm", ".vtp", ".stl", ".ply", ".json", ".csv",
    ".html", ".zip", ".png",
)  # fmt: skip
"""What ends the names of files: whoever gives such a name for a folder means something else."""


@contextmanager
def staged_folder(
    target: Path,
    stale: Iterable[str] = (),
    seal: str = "",
    names: Iterable[str] = (),
    is_own: IsOwn | None = None,
) -> Iterator[Path]:
    """A hidden folder to write into, whose files lie in ``target`` once the block has ended well.

    A new ``target`` appears in one step. In one that exists, files of the same names are replaced, and files
    that match a pattern of ``stale`` are removed, as an earlier run may have left other ones; the file
    ``seal`` goes first and comes last, so that where it lies, all lie that belong to it. If the block raises,
    nothing is left, nor any parent folder that was made; if the process is killed, the next run to the same
    place removes what it left.

    names: patterns of the names of what will be written, as far as they are known before. is_own: tells which
    files are this tool's; None goes by a list that is kept in ``target``. Raises InputError if ``target``
    cannot be written to, another run writes to it, or a file there is not this tool's to replace, before the
    block runs if ``names`` covers it, and StorageError if it vanishes meanwhile.
    """
    target = Path(target).absolute()
    with made_folder(target.parent):
        if target.exists() and not target.is_dir():
            raise InputError("The output is an existing file, but a folder is needed; choose another name.")
        check_replaceable(target, (*names, *stale, seal), is_own or listed)
        # A folder that exists may be a disk of its own, or its parent closed to the user.
        with _hidden(target if target.is_dir() else target.parent) as hidden:
            written = hidden / target.name
            written.mkdir()
            _check_alone(target, hidden)
            yield written
            ready = sorted(written.iterdir(), key=lambda path: (path.name == seal, path.name))
            files = [path for path in ready if path.is_file()]
            if not target.is_dir():
                if is_own is None:
                    (written / LISTED).write_text(list_files(written, files, final=True), encoding="utf-8")
                written.replace(target)
                return
            check_replaceable(target, (path.name for path in ready), is_own or listed)
            final = ""
            if is_own is None:
                _replace_list(target, hidden, list_files(target, files, final=False))
                final = list_files(target, files, final=True)
            for pattern in filter(None, (seal, *stale)):
                for path in target.glob(pattern):
                    path.unlink()
            for path in ready:
                path.replace(target / path.name)
            if final:
                _replace_list(target, hidden, final)


@contextmanager
def staged_file(target: Path, is_own: IsOwn | None = None) -> Iterator[Path]:
    """A hidden path of the same name to write to, which is ``target`` once the block has ended well.

    is_own: as in ``staged_folder``. If the block raises, nothing is left. Raises InputError if ``target``
    cannot be written, or is not this tool's to replace, before the block runs.
    """
    target = Path(target).absolute()
    with made_folder(target.parent):
        if target.is_dir():
            raise InputError("The output is a folder, but a file name is needed.")
        own = [target] if os.path.lexists(target) else []
        if not all(map(is_own or listed, own)):
            raise InputError(
                "The output is a file that dmcvr did not write, or that was changed since; choose another "
                "name, or move it away."
            )
        with _hidden(target.parent) as hidden:
            ready = hidden / target.name
            yield ready
            if is_own is None:
                _replace_list(target.parent, hidden, list_files(target.parent, [ready], final=False))
            ready.replace(target)


def _replace_list(folder: Path, hidden: Path, text: str) -> None:
    (hidden / LISTED).write_text(text, encoding="utf-8")
    (hidden / LISTED).replace(folder / LISTED)


def check_apart(target: Path, inputs: Iterable[Path], names: Iterable[str] = ()) -> None:
    """Raise InputError where writing to ``target`` would overwrite an input or mix with a folder of inputs,
    and for paths that the system does not take.

    names: patterns of the file names that will be written, if ``target`` is a folder.
    """
    inputs = list(inputs)
    for path in (target, *inputs):
        try:
            Path(path).exists()
        except OSError as error:
            raise InputError(
                "A path that was given is too long, or leads through a folder that may not be entered; "
                "choose another place."
            ) from error
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


def check_folder_name(target: Path) -> None:
    """Raise InputError where ``target``, to be a folder, has a name like a file's, unless it is a folder."""
    if target.name.lower().endswith(FILE_SUFFIXES) and not os.path.isdir(target):
        raise InputError(
            f"The output is a folder, but {target.name} looks like the name of a file; give a folder's name."
        )


def _check_alone(target: Path, own: Path) -> None:
    """Raise InputError if a living run other than that of the folder ``own`` writes to ``target``."""
    # One that began before there was a target works beside it.
    for folder in [*living(target.parent, HIDDEN), *living(target, HIDDEN)]:
        if folder != own and (folder / target.name).is_dir():
            raise InputError(
                "Another run is writing to the output folder; wait for its end, or choose another folder."
            )


@contextmanager
def _hidden(parent: Path) -> Iterator[Path]:
    entered = False
    try:
        with private_folder(parent, HIDDEN) as folder:
            entered = True
            try:
                yield folder
            except Exception as error:
                if folder.is_dir():
                    raise
                raise StorageError(
                    "The output folder was removed, or its disk went away, during the run; run again, and "
                    "leave the folder in place meanwhile."
                ) from error
    except OSError as error:
        if entered:
            raise
        raise InputError("The output folder cannot be written to; choose another one.") from error
