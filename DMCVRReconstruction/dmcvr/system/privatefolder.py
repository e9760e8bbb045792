"""Temporary folders that only their user may look into, and that go, even if their process was killed.

A process that works in such a folder holds a file in it by a lock, which the system lets go of when the
process ends, however it ends. A folder that nobody holds was left behind; the next process that makes one in
the same place removes it. Neither process IDs nor times are compared: IDs are used again, and count anew in
every container, and clocks jump.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows a file that is open cannot be removed, which serves as a lock
    fcntl = None  # type: ignore[assignment]  # mypy has no word for a module that may be missing

HELD = ".dmcvr-held"
# Folders of this process, by real path. Some network disks would let it have its own lock a second time.
_own: set[str] = set()


@contextmanager
def private_folder(parent: str | Path, prefix: str) -> Iterator[Path]:
    """A new folder in ``parent``, its name beginning with ``prefix``, for the length of the block.

    Only its user may enter it (mode 0700). What dead processes left in ``parent`` under the same prefix is
    removed first. Raises OSError where no folder can be made.
    """
    living(parent, prefix)
    folder, lock = _new(parent, prefix)
    place = os.path.realpath(folder)
    _own.add(place)
    try:
        yield folder
    finally:
        _own.remove(place)
        shutil.rmtree(folder, ignore_errors=True)  # it may be gone with the disk it was on
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)  # Windows kept what was open


@contextmanager
def held(folder: str | Path) -> Iterator[None]:
    """Hold another process's private folder as well, for the length of the block.

    A folder that is not private is left as it is.
    """
    lock = None
    with contextlib.suppress(FileNotFoundError):
        lock = _hold(Path(folder) / HELD, os.O_RDWR)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def living(parent: str | Path, prefix: str) -> list[Path]:
    """The user's private folders in ``parent`` that processes hold. Those that nobody holds are removed.

    Where the disk knows no locks, none counts as held and none is removed.
    """
    return [folder for folder in _found(parent, prefix) if _is_held(folder)]


def _found(parent: str | Path, prefix: str) -> list[Path]:
    """This user's folders of that name, links left out."""
    try:
        with os.scandir(parent) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if entry.name.startswith(prefix)
                and entry.is_dir(follow_symlinks=False)
                and (fcntl is None or entry.stat(follow_symlinks=False).st_uid == os.getuid())
            ]
    except OSError:  # where one may write one need not be allowed to look
        return []


def _is_held(folder: Path) -> bool:
    """Whether a process holds ``folder``; one that nobody holds is removed."""
    if os.path.realpath(folder) in _own:
        return True
    try:
        lock = _take(folder / HELD)
    except BlockingIOError:
        return True
    except OSError:  # none of ours, or not held yet, or on a disk that knows no locks
        return False
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        os.close(lock)
    return False


def _take(path: Path) -> int | None:
    """Lock ``path`` for good, or raise BlockingIOError if a process holds it."""
    if fcntl is None:
        try:
            path.unlink()
        except PermissionError as error:
            raise BlockingIOError from error
        return None
    lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def _new(parent: str | Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            return folder, _hold(folder / HELD, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except FileNotFoundError:  # it was removed as a leftover just before it was held
            continue
        except OSError:  # the disk is full
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _hold(path: Path, flags: int) -> int:
    """Share the lock of ``path`` with others. Raises FileNotFoundError if it has been removed."""
    lock = os.open(path, flags, 0o600)
    try:
        if fcntl is not None:
            # A disk without locks: then nobody takes the folder for a leftover either.
            with contextlib.suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_SH)
        os.stat(path)
    except BaseException:
        os.close(lock)
        raise
    return lock
