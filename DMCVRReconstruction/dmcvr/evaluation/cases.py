"""The labelled stacks that the tables are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..stack import Stack

PHASE = re.compile(r"[_-](ED|ES)$", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """One phase of one patient: a stack of one frame and its expert labels (S, H, W) uint8."""

    name: str
    stack: Stack
    labels: np.ndarray

    @property
    def phase(self) -> str:
        """ "ED" or "ES", as the name ends, or "unknown"."""
        found = PHASE.search(self.name)
        return found[1].upper() if found else "unknown"

    @property
    def patient(self) -> str:
        """The name without the phase."""
        return PHASE.sub("", self.name)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """(x, y, z) mm, z the mean distance between slices."""
        return (*self.stack.spacing, float(self.stack.gaps.mean()))


@dataclass(frozen=True)
class DataFolder:
    """A folder of pairs NAME.nii.gz and NAME_gt.nii.gz, as ``training.data`` describes it, read one by one.

    label_values: what stands for (LVC, LVM, RVC) in the label files. pattern: a regular expression; only
    cases whose name it matches somewhere are taken.
    Iterating gives a ``Case`` for each pair, of the file's first frame. Raises InputError for a pattern that
    is none or that no case matches.
    """

    folder: Path
    label_values: tuple[int, int, int] = (1, 2, 3)
    pattern: str = ""

    def _keep(self, name: str) -> bool:
        return re.search(self.pattern, name) is not None

    def __len__(self) -> int:
        from ..training.data import labelled_pairs

        try:
            re.compile(self.pattern)
        except re.error as error:
            raise InputError(f"The pattern for --cases is no regular expression: {error}.") from error
        count = sum(self._keep(name) for name, *_ in labelled_pairs(self.folder))
        if not count:
            raise InputError("No case in the data folder has a name that --cases matches.")
        return count

    def __iter__(self) -> Iterator[Case]:
        from ..training.data import read_pairs

        for name, stack, labels in read_pairs(self.folder, self.label_values, self._keep):
            yield Case(name, stack.select(frames=[0]), labels)
