"""Why a case failed: in words that tell nothing of where the files lay, and whether to try again."""

from __future__ import annotations

import errno
import re
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

from ..core.errors import InputError, explain_fault
from .cases import Case
from .settings import Settings

LASTING = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EACCES,
    errno.EPERM,
    errno.ELOOP,
    errno.ENAMETOOLONG,
}
"""What is not there, or not allowed, will not be so a second later."""
ABSOLUTE = re.compile(r"(?<![\w.])(?:[A-Za-z]:\\|\\\\|/)[^\s'\",;]+")
HIDDEN = "(path)"


@dataclass(frozen=True)
class Failure:
    """How a case ended that has no result.

    kind: "input" for what the user can put right, "memory" and "disk" for want of either, "worker" for one
    that died, "fault" for the program's. message: a sentence. type: of the exception. where: the calls that
    led to it, innermost last, for kinds other than "input". transient: whether another attempt may go well.
    """

    kind: str
    message: str
    type: str = ""
    where: tuple[str, ...] = ()
    transient: bool = False

    def as_dict(self) -> dict:
        """For the record."""
        held = asdict(self)
        del held["transient"]
        return held


WORKER_LOST = Failure("worker", "The worker died each time it tried this case; perhaps its memory ran out.")


def explain(error: Exception, case: Case, settings: Settings) -> Failure:
    """What ``error`` means for ``case``."""
    known = explain_fault(error)
    transient = known is not None or _transient(error)
    name = type(error).__name__
    if isinstance(error, InputError):
        return Failure("input", without_paths(str(error), case, settings), name, transient=transient)
    kind, message = known or ("fault", f"{name}: {_words(error)}")
    frames = traceback.extract_tb(error.__traceback__)
    where = tuple(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return Failure(kind, without_paths(message, case, settings), name, where, transient)


def without_paths(text: str, case: Case, settings: Settings) -> str:
    """``text`` without this case's paths, whole or in part, and without anything that looks like a path."""
    folder = settings.model.folder
    model = None if folder is None else Path(folder)
    given = [case.path, case.labels, settings.output, model, *case.files, Path.home()]
    whole = {str(path) for path in given if path is not None}
    whole |= {str(parent) for path in given if path is not None for parent in path.parents}
    for path in sorted(whole, key=len, reverse=True):
        if len(path) > 1:
            text = text.replace(path, HIDDEN)
    text = ABSOLUTE.sub(HIDDEN, text)
    return re.sub(re.escape(HIDDEN) + r"[^\s'\",;]*", HIDDEN, text)


def _words(error: Exception) -> str:
    """An OSError's text names its files; what happened is in its number."""
    return (error.strerror or "") if isinstance(error, OSError) else str(error)


def _transient(error: BaseException | None) -> bool:
    """Whether the system failed to read or write, even where a reader took that for a damaged file."""
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None:
            return error.errno not in LASTING
        error = error.__cause__
    return False
