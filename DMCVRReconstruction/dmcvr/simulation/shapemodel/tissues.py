"""The parts of a whole heart as numbers in a volume.

The ventricles have the project's own label numbers. The files of the shape model hold walls and valves, but
atria and great vessels without their blood; `fill_blood` puts it in.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ...anatomy.pieces import largest_piece
from ...core.errors import InputError
from ...core.labels import BACKGROUND, LVC, LVM, RVC, remap

FILE_VALUES = (1, 2, 3)  # of LVC, LVM and RVC in the files, which number the rest as below
RV_WALL, LA_WALL, RA_WALL, AORTA_WALL, PULMONARY_WALL, VALVE = range(4, 10)
LA, RA, AORTA, PULMONARY = range(10, 14)
"""The blood of the atria and the great arteries."""

BLOOD_INSIDE = {LA_WALL: LA, RA_WALL: RA, AORTA_WALL: AORTA, PULMONARY_WALL: PULMONARY}
WIDEST_MOUTH_MM = 28.0
"""Wider than any opening in a wall, such as the cut end of the aorta."""


def read_tissues(values: np.ndarray) -> np.ndarray:
    """Tissue numbers (Z, Y, X) uint8 of a label volume of the shape model.

    InputError for other values than the model's, or where they do not seem to mean what they should.
    """
    if not set(np.unique(values)) <= set(range(VALVE + 1)):
        raise InputError("The mean heart's label volume holds other values than the shape model's 0 to 9.")
    values = values.astype(np.uint8)
    ventricles = remap(values, FILE_VALUES)
    tissues = np.where(values > RVC, values, ventricles)
    cavity = tissues == LVC
    rim = ndimage.binary_dilation(cavity) & ~cavity
    if not cavity.any() or (tissues[rim] == LVM).mean() < 0.5 or not (tissues == RVC).any():
        raise InputError("In the mean heart's label volume, no muscle (2) surrounds the left ventricle (1).")
    return tissues


def fill_blood(tissues: np.ndarray, spacing: float) -> np.ndarray:
    """``tissues`` with blood in atria and great arteries, up to their cut ends, and no gaps inside the heart.

    spacing: mm, the same along all axes.
    """
    reach = WIDEST_MOUTH_MM / 2 / spacing
    margin = int(np.ceil(reach)) + 2
    out = np.pad(tissues, margin)
    valves, _ = ndimage.label(out == VALVE, np.ones((3, 3, 3)))
    for wall, blood in BLOOD_INSIDE.items():
        box = padded_box(out == wall, margin)
        part, valve = out[box], valves[box]
        shell = part == wall
        # An atrium is open towards its ventricle but for the valve, and so is an artery.
        own = np.unique(valve[ndimage.binary_dilation(shell)])
        shell |= np.isin(valve, own[own > 0])
        grown = ndimage.distance_transform_edt(~shell) <= reach
        closed = ndimage.distance_transform_edt(ndimage.binary_fill_holes(grown)) > reach
        part[largest_piece(closed & (part == BACKGROUND))] = blood
    outside, count = ndimage.label(out == BACKGROUND)
    gaps = (outside > 0) & (outside != outside[0, 0, 0])
    if count > 1:
        nearest = ndimage.distance_transform_edt(
            out == BACKGROUND, return_distances=False, return_indices=True
        )
        out[gaps] = out[tuple(index[gaps] for index in nearest)]
    inner = slice(margin, -margin)
    return out[inner, inner, inner]


def padded_box(mask: np.ndarray, margin: int) -> tuple[slice, ...]:
    """The smallest box about ``mask`` with ``margin`` voxels more on every side, but within the array."""
    found = [np.flatnonzero(mask.any(tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    return tuple(slice(max(index[0] - margin, 0), index[-1] + margin + 1) for index in found)
