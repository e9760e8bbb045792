"""The segments of a Slicer segmentation (.seg.nrrd; Slicer developer guide, module "Segmentations").

Every segment has a value in a layer; segments of one layer cannot overlap, those of several may.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ..core.errors import InputError
from ..core.labels import LVC, LVM, NAMES, RVC
from .image_file import ImageFile, Warn, damaged

MOST_OVERLAP = 0.05
"""Share of the smaller of two segments that may lie within the other by the strokes of a brush."""
PRECEDENCE = (RVC, LVM, LVC)
"""Of segments that overlap the last of these counts: a wall drawn with its cavity filled loses the cavity."""


def has_segments(file: ImageFile) -> bool:
    """Whether a file is a segmentation."""
    return "Segment0_ID" in file.fields


def segment_labels(file: ImageFile, values: tuple[int, int, int], warn: Warn) -> np.ndarray:
    """(Z, Y, X) uint8, in the project's order, of the segments named LVC, LVM and RVC.

    values: the numbers that stand for them where no segment has such a name. Raises InputError where layers
    contradict each other by more than MOST_OVERLAP.
    """
    places = _places(file, values)
    if not all(0 <= layer < len(file.voxels) for layer, _ in places.values()):
        raise damaged("label")
    masks = {label: file.voxels[layer] == value for label, (layer, value) in places.items()}
    for one, other in combinations(masks, 2):
        _check_overlap(one, masks[one], other, masks[other], warn)
    out = np.zeros(file.voxels.shape[1:], np.uint8)
    for label in PRECEDENCE:
        if label in masks:
            out[masks[label]] = label
    return out


def _places(file: ImageFile, values: tuple[int, int, int]) -> dict[int, tuple[int, int]]:
    """Layer and value of each label that there is a segment for."""
    named: dict[str, tuple[int, int]] = {}
    number = 0
    while f"Segment{number}_ID" in file.fields:
        name = file.fields.get(f"Segment{number}_Name") or file.fields[f"Segment{number}_ID"]
        try:
            value = int(file.fields.get(f"Segment{number}_LabelValue") or number + 1)
            layer = int(file.fields.get(f"Segment{number}_Layer") or 0)
        except ValueError as error:
            raise damaged("label") from error
        named.setdefault(name.strip().upper(), (layer, value))
        number += 1
    found = {label: named[name] for label, name in NAMES.items() if name in named}
    if found:
        return found
    if len(file.voxels) > 1:
        raise InputError(
            "The segmentation has several layers but no segments named LVC, LVM and RVC; name them so in "
            "Slicer."
        )
    return {label: (0, value) for label, value in zip(NAMES, values, strict=True)}


def _check_overlap(one: int, mask: np.ndarray, other: int, beside: np.ndarray, warn: Warn) -> None:
    """Tell of two segments that overlap, or raise InputError where they cannot both be meant."""
    both = np.count_nonzero(mask & beside)
    if not both or {one, other} == {LVC, LVM}:  # a wall may be drawn as all that it encloses
        return
    share = both / min(np.count_nonzero(mask), np.count_nonzero(beside))
    names = f"{NAMES[one]} and {NAMES[other]}"
    if share > MOST_OVERLAP:
        raise InputError(
            f"The segments {names} overlap by {100 * share:.0f} %; remove the overlap in Slicer, so that a "
            "voxel belongs to one of them."
        )
    warn(f"The segments {names} overlap by {100 * share:.1f} %; the left ventricle was given what both hold.")
