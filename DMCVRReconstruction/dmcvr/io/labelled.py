"""Folders of labelled stacks, as training and evaluation read them, and labels on other planes.

A data folder is of this form: side by side lie NAME.EXT and NAME_gt.EXT, an image and its expert labels on
the same voxels, EXT being .nii.gz, .nii, .nrrd or .mha and the same for both. Of a file with several frames
the first is taken. Other files, and hidden ones, are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.geometry import Plane, sample_plane
from ..core.labels import LVC, LVM, RVC
from ..core.stack import Stack
from .label_files import read_labels
from .volumes import read_stack

ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")
LabelledStack = tuple[str, Stack, np.ndarray]
"""A name, a stack and its labels (S, H, W) in the project's order."""


def labelled_pairs(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Paths of image and labels by name, sorted by name. Raises InputError for a folder of another form."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError("The data folder does not exist or is no folder; check the path of --data.")
    drawn = [
        (path.name.removesuffix(f"_gt{ending}"), ending, path)
        for path in sorted(folder.iterdir())
        for ending in ENDINGS
        if path.name.endswith(f"_gt{ending}") and not path.name.startswith(".")
    ]
    if not drawn:
        raise InputError("The data folder holds no pairs NAME.nii.gz and NAME_gt.nii.gz.")
    pairs = {}
    for name, ending, labels in sorted(drawn):
        image = folder / f"{name}{ending}"
        if not image.exists():
            raise InputError(
                f"The labels of {name} in the data folder have no image beside them: NAME_gt{ending} needs "
                f"NAME{ending}."
            )
        if name in pairs:
            raise InputError(f"Two pairs in the data folder have the name {name}; keep one.")
        pairs[name] = image, labels
    return pairs


def read_pairs(
    folder: Path, label_values: tuple[int, int, int], keep: Callable[[str], bool] = lambda name: True
) -> Iterator[LabelledStack]:
    """Every pair whose name ``keep`` accepts.

    label_values: what stands for (LVC, LVM, RVC) in the label files. Raises InputError, saying which case it
    is, for files that cannot be read or do not fit each other.
    """
    for name, (image, labels) in labelled_pairs(folder).items():
        if keep(name):
            try:
                stack = read_stack(image)
                drawn = read_labels(labels, stack, label_values)[0]
            except InputError as error:
                raise InputError(f"Case {name}: {error}") from error
            yield name, stack.select(frames=[0]), drawn


def resample_labels(labels: np.ndarray, source: Plane, target: Plane) -> np.ndarray:
    """Labels (H, W) on another, parallel plane: each structure resampled linearly, the largest wins."""
    shares = [sample_plane((labels == label).astype(np.float32), source, target) for label in (LVC, LVM, RVC)]
    background = 1 - np.sum(shares, axis=0)
    resampled: np.ndarray = np.argmax([background, *shares], axis=0).astype(np.uint8)
    return resampled
