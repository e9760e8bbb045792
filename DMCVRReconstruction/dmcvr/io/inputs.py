"""The input of a run: a short-axis stack with its long-axis images and labels, from files, a DICOM folder or
memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.geometry import Grid
from ..core.stack import Stack, stack_grid
from .account import LeftOut
from .crossing import check_crossing, crossing_fault
from .image_file import Warn
from .in_memory import Source, image_in_memory, is_path, labels_in_memory, stack_in_memory
from .label_files import fit_labels, read_labels
from .volumes import read_grid, read_lax, read_stack


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
    source: Source,
    lax: Sequence[Source] = (),
    labels: Source | None = None,
    label_values: tuple[int, int, int] = (1, 2, 3),
    affine: np.ndarray | None = None,
) -> Input:
    """The stack in ``source``, with the long-axis images of ``lax``, or else of the DICOM folder that
    ``source`` is, and an expert's ``labels``, in which ``label_values`` stand for LVC, LVM and RVC.

    affine: see `in_memory.image_in_memory`. Raises InputError for what cannot be read, or does not belong
    together.
    """
    notes: list[str] = []
    found: tuple[Stack, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    if is_path(source) and affine is None and Path(source).is_dir():
        from .dicom.study import read_study  # pydicom, which files do not need

        study = read_study(Path(source))
        stack, notes, left_out = study.sax, list(study.warnings), study.left_out
        found = _crossing(study.lax, stack, notes)
    elif is_path(source) and affine is None:
        stack = read_stack(Path(source), notes.append)
    else:
        stack = stack_in_memory(source, affine)
    given = tuple(_lax(item, stack, notes.append) for item in lax)
    drawn = None
    if is_path(labels):
        drawn = read_labels(Path(labels), stack, label_values, notes.append)
    elif labels is not None:
        held = labels_in_memory(labels, source, affine, stack)
        drawn = fit_labels(held, stack, label_values, notes.append)
    return Input(stack, given or found, drawn, tuple(dict.fromkeys(notes)), left_out)


def grid_of(source: Source, stack: Stack, affine: np.ndarray | None = None) -> Grid:
    """Where the voxels of the ``stack`` that was read from ``source`` lie, slices in the source's own order.

    Raises InputError where they lie on no regular grid.
    """
    if is_path(source) and not Path(source).is_dir():
        return read_grid(Path(source))
    if is_path(source) or isinstance(source, Stack):
        return stack_grid(stack)
    return image_in_memory(source, affine, "image").grid


def _lax(source: Source, stack: Stack, warn: Warn) -> Stack:
    """One long-axis image, which must cross the ``stack``."""
    if is_path(source):
        return read_lax(Path(source), stack, warn)
    image = stack_in_memory(source, slices=1, what="long-axis image")
    check_crossing(image, stack)
    return image


def _crossing(images: tuple[Stack, ...], stack: Stack, notes: list[str]) -> tuple[Stack, ...]:
    """Those of a study's long-axis images that cross the stack; ``notes`` hears of others."""
    kept = []
    for image in images:
        if (fault := crossing_fault(image, stack)) is None:
            kept.append(image)
        else:
            notes.append(f"{fault}; it was left out.")
    return tuple(kept)
