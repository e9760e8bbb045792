"""The input of a run: a short-axis stack with its long-axis images, from a file or a DICOM folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.stack import Stack
from .volumes import read_lax, read_stack


@dataclass(frozen=True)
class Input:
    """What was read.

    stack: short-axis. lax: long-axis images, one slice each. notes: plain sentences on choices made for the
    user.
    """

    stack: Stack
    lax: tuple[Stack, ...] = ()
    notes: tuple[str, ...] = ()


def read_input(path: Path, lax: Sequence[Path] = ()) -> Input:
    """The stack in ``path``, a file or a DICOM folder, with the long-axis images of ``lax``, or else of the
    folder. Raises InputError.
    """
    given = tuple(read_lax(item) for item in lax)
    if path.is_dir():
        from .dicom.study import read_study  # pydicom, which files do not need

        study = read_study(path)
        return Input(study.sax, given or study.lax, tuple(study.warnings))
    return Input(read_stack(path), given)
