"""The labelled stacks that the tables are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..anatomy.function import stack_volumes_ml
from ..core.errors import InputError
from ..core.stack import Stack
from ..io.labelled import labelled_pairs, read_pairs

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

    def thinned(self, every: int) -> Case:
        """The case with every ``every``-th slice only, from the first on, as if acquired that sparsely.

        Raises InputError where fewer than two slices would be left.
        """
        kept = slice(None, None, every)
        if len(self.labels[kept]) < 2:
            raise InputError(f"Case {self.name}: --every {every} leaves fewer than two slices.")
        return Case(self.name, self.stack.select(slices=kept), self.labels[kept])

    def volumes(self, labels: np.ndarray) -> dict[str, float]:
        """Volume in ml of each structure in labels (S, H, W) of the stack's slices, by disc summation."""
        return stack_volumes_ml(labels, self.stack.positions, float(np.prod(self.stack.spacing)))


@dataclass(frozen=True)
class DataFolder:
    """A data folder, see `labelled`, read one by one. Iterating gives a ``Case`` for each pair.

    A NAME that ends in _ED or _ES says which phase it is, and what stands before it whose heart: numbers that
    need both phases find them so.

    label_values: what stands for (LVC, LVM, RVC) in the label files. pattern: a regular expression; only
    cases whose name it matches somewhere are taken.
    Raises InputError for a folder that has another form, for a pattern that is none or that no case matches,
    and, saying which case it is, for files that cannot be read or do not fit each other.
    """

    folder: Path
    label_values: tuple[int, int, int] = (1, 2, 3)
    pattern: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The cases that are taken, sorted."""
        try:
            wanted = re.compile(self.pattern)
        except re.error as error:
            raise InputError(f"The pattern for --cases is no regular expression: {error}.") from error
        names = tuple(name for name in labelled_pairs(self.folder) if wanted.search(name))
        if not names:
            raise InputError("No case in the data folder has a name that --cases matches.")
        return names

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Case]:
        for name, stack, labels in read_pairs(self.folder, self.label_values, self.names.__contains__):
            if not labels.any():
                raise InputError(f"Case {name}: The labels of the first frame are empty.")
            yield Case(name, stack, labels)
