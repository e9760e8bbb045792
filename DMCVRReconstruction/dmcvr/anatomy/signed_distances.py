"""Nested signed distances: the shape of the heart in one slice.

A slice's shape is three maps, of the LV cavity (LVC), the whole LV (LVC + LVM) and the RV cavity (RVC): at
every pixel the distance in mm to that structure's boundary, positive inside. The myocardium is the difference
of the first two, so it stays a closed wall wherever it is interpolated.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..core.labels import BACKGROUND, LVC, LVM, RVC

STRUCTURES = ((LVC,), (LVC, LVM), (RVC,))
"""The labels each of the three channels is made of."""
CAVITY, WHOLE, RIGHT = 0, 1, 2
"""The two channels of the left ventricle, and that of the right."""

BORDER_MM = 0.05
"""Half the breadth of the border between inside and outside, far less than any pixel."""
WHOLE_MM = 100.0
"""A limit no heart reaches inside (about 45 mm): maps to be interpolated need their true maximum to taper."""


def nested_distances(labels: np.ndarray, spacing: tuple[float, float], limit_mm: float = 12.0) -> np.ndarray:
    """Signed distance maps (..., 3, H, W) float32 in mm, positive inside, of labels (..., H, W).

    Channels: LVC, LVC + LVM, RVC. Distances are Euclidean and exact, to the boundary half a pixel beyond the
    outermost pixel centres (half the finer spacing, if the two differ), and clipped to +-``limit_mm``. Beyond
    the array is outside. A structure that is absent is -``limit_mm`` everywhere.

    spacing: (x, y) mm.
    """
    slices = labels.reshape(-1, *labels.shape[-2:])
    maps = np.full((len(slices), len(STRUCTURES), *labels.shape[-2:]), -limit_mm, np.float32)
    for image, channels in zip(slices, maps, strict=True):
        for members, channel in zip(STRUCTURES, channels, strict=True):
            _fill_signed_distance(channel, np.isin(image, members), spacing, limit_mm)
    return maps.reshape(*labels.shape[:-2], len(STRUCTURES), *labels.shape[-2:])


def _fill_signed_distance(
    out: np.ndarray, mask: np.ndarray, spacing: tuple[float, float], limit_mm: float
) -> None:
    """Write the clipped signed distance of ``mask`` (H, W) into ``out``, which is -``limit_mm`` all over."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return
    sampling = (spacing[1], spacing[0])
    margins = [int(limit_mm / step) + 2 for step in sampling]
    window = tuple(
        slice(max(found[0] - margin, 0), found[-1] + margin + 1)
        for found, margin in zip((rows, columns), margins, strict=True)
    )
    inside = np.pad(mask[window], 1)
    half = min(sampling) / 2
    to_outside = ndimage.distance_transform_edt(inside, sampling)
    to_inside = ndimage.distance_transform_edt(~inside, sampling)
    signed = np.where(inside, to_outside - half, half - to_inside)
    out[window] = np.clip(signed[1:-1, 1:-1], -limit_mm, limit_mm)


def structures_shown(distances: np.ndarray) -> np.ndarray:
    """(..., 3) bool: which structures the distance maps (..., 3, H, W) show at all."""
    shown: np.ndarray = np.any(distances > 0, axis=(-2, -1))
    return shown


def labels_from_distances(distances: np.ndarray) -> np.ndarray:
    """Labels (..., H, W) uint8 of distance maps (..., 3, H, W).

    Inside is above 0; of pixels at 0, as there are many half-way between two slices, every other one is (see
    `_border`). The cavity counts only within the whole LV; where they overlap, LV wins over RV.
    """
    border = _border(distances.shape[-2:])
    cavity, ventricle, right = (distances[..., channel, :, :] > border for channel in range(3))
    labels = np.where(right, RVC, BACKGROUND).astype(np.uint8)
    labels[ventricle] = LVM
    labels[ventricle & cavity] = LVC
    return labels


def _border(shape: tuple[int, int]) -> np.ndarray:
    """(H, W) mm beyond which a pixel is inside: 0, spread evenly over +-BORDER_MM.

    A pixel of a slice lies at least half its size from any border, but half-way between two slices the maps
    of a tenth of a heart's pixels may be exactly 0. Were these all out, or all in as soon as rounding moved
    the slices by a thousandth of a millimetre, a volume would jump by as much. The values are those of the
    R2 sequence (Roberts 2018), which spreads any number of neighbours evenly.
    """
    rows, columns = np.indices(shape)
    return BORDER_MM * (2 * ((0.7548776662466927 * columns + 0.5698402909980532 * rows) % 1) - 1)
