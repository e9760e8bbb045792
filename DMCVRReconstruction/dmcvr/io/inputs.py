"""The input of a run: a short-axis stack with its long-axis images and labels, from files or a DICOM
folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.stack import Stack
from .account import LeftOut
from .crossing import crossing_fault
from .label_files import read_labels
from .volumes import read_lax, read_stack


@dataclass(frozen=True)
class Input:
    """What was read.

    stack: short-axis. lax: long-axis images, one slice each. labels: (T or 1, S, H, W) uint8, an expert's, if
    given. notes: plain sentences on what is odd about the files, and on choices made for the user.
    left_out: what of a folder was not used.
    """

    stack: Stack
    lax: tuple[Stack, ...] = ()
    labels: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def read_input(
    path: Path,
    lax: Sequence[Path] = (),
    labels: Path | None = None,
    label_values: tuple[int, int, int] = (1, 2, 3),
) -> Input:
    """The stack in ``path``, a file or a DICOM folder, with the long-axis images of ``lax``, or else of the
    folder, and the expert's ``labels``, in which ``label_values`` stand for LVC, LVM and RVC.

    Raises InputError for files that cannot be read, or do not belong together.
    """
    notes: list[str] = []
    found: tuple[Stack, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    if path.is_dir():
        from .dicom.study import read_study  # pydicom, which files do not need

        study = read_study(path)
        stack, notes, left_out = study.sax, list(study.warnings), study.left_out
        found = _crossing(study.lax, stack, notes)
    else:
        stack = read_stack(path, notes.append)
    given = tuple(read_lax(item, stack, notes.append) for item in lax)
    drawn = None if labels is None else read_labels(labels, stack, label_values, notes.append)
    return Input(stack, given or found, drawn, tuple(dict.fromkeys(notes)), left_out)


def _crossing(images: tuple[Stack, ...], stack: Stack, notes: list[str]) -> tuple[Stack, ...]:
    """Those of a study's long-axis images that cross the stack; ``notes`` hears of others."""
    kept = []
    for image in images:
        if (fault := crossing_fault(image, stack)) is None:
            kept.append(image)
        else:
            notes.append(f"{fault}; it was left out.")
    return tuple(kept)
