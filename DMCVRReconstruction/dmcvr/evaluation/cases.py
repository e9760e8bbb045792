"""The labelled stacks that the tables are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..anatomy import stack_volumes_ml
from ..errors import InputError
from ..stack import Stack

LABEL_ENDINGS = tuple(f"_gt{ending}" for ending in (".nii.gz", ".nii", ".nrrd", ".mha"))
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

    def volumes(self, labels: np.ndarray) -> dict[str, float]:
        """Volume in ml of each structure in labels (S, H, W) of the stack's slices, by disc summation."""
        return stack_volumes_ml(labels, self.stack.positions, float(np.prod(self.stack.spacing)))


@dataclass(frozen=True)
class DataFolder:
    """A folder of labelled stacks, read one by one. Iterating gives a ``Case`` for each pair.

    The form: side by side lie NAME.EXT and NAME_gt.EXT, an image and its expert labels on the same voxels,
    EXT being .nii.gz, .nii, .nrrd or .mha and the same for both. Of a file with several frames the first is
    taken. A NAME that ends in _ED or _ES says which phase it is, and what stands before it whose heart:
    numbers that need both phases find them so. Other files, and hidden ones, are ignored.

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
        from ..training.data import labelled_pairs

        if not self.folder.is_dir():
            raise InputError("The data folder does not exist or is no folder; check the path of --data.")
        try:
            wanted = re.compile(self.pattern)
        except re.error as error:
            raise InputError(f"The pattern for --cases is no regular expression: {error}.") from error
        drawn = [path for path in self.folder.iterdir() if _is_labels(path)]
        if not drawn:
            raise InputError("The data folder holds no pairs NAME.nii.gz and NAME_gt.nii.gz.")
        names = sorted(name for name, _, labels in labelled_pairs(self.folder) if _is_labels(labels))
        if len(names) < len(drawn):
            raise InputError(
                f"{len(drawn) - len(names)} of the label files in the data folder have no image beside them: "
                "NAME_gt.nii.gz needs NAME.nii.gz, with the same ending."
            )
        if len(set(names)) < len(names):
            raise InputError("Two pairs in the data folder have the same name but for the ending; keep one.")
        names = tuple(name for name in names if wanted.search(name))
        if not names:
            raise InputError("No case in the data folder has a name that --cases matches.")
        return names

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Case]:
        from ..training.data import read_pairs

        for wanted in self.names:
            try:
                ((_, stack, labels),) = read_pairs(self.folder, self.label_values, wanted.__eq__)
            except InputError as error:
                raise InputError(f"Case {wanted}: {error}") from error
            if not labels.any():
                raise InputError(f"Case {wanted}: The labels of the first frame are empty.")
            yield Case(wanted, stack.select(frames=[0]), labels)


def _is_labels(path: Path) -> bool:
    return path.name.endswith(LABEL_ENDINGS) and not path.name.startswith(".")
