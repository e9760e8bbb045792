"""The in-plane shift that makes two label images agree best.

A slice is acquired in a breath-hold of its own, so a withheld slice lies displaced against its neighbours by
some mm that no interpolation can know. Dice after the best shift says how well the shape was met.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from .metrics import structures

REACH_MM = 6.0


def dice_after_shift(
    predicted: np.ndarray, true: np.ndarray, spacing: tuple[float, float], reach_mm: float = REACH_MM
) -> tuple[dict[str, float], tuple[int, int]]:
    """Dice of "all", LVC, LVM and RVC in labels (H, W) after the best shift, and that shift (rows, columns).

    One shift moves the whole slice: of all shifts by whole pixels no longer than ``reach_mm``, the one with
    the largest mean Dice of LVC, LVM and RVC, and of equal ones the shortest. The predicted labels are moved;
    what leaves the image still counts. nan for what is empty in both images. spacing: (x, y) mm.
    """
    rows, columns = (int(reach_mm / step) for step in (spacing[1], spacing[0]))
    down, right = np.mgrid[-rows : rows + 1, -columns : columns + 1]
    length = np.hypot(down * spacing[1], right * spacing[0])
    tables = {}
    for (name, moving), fixed in zip(structures(predicted).items(), structures(true).values(), strict=True):
        total = int(moving.sum()) + int(fixed.sum())
        tables[name] = 2 * _overlaps(moving, fixed, rows, columns) / (total or np.nan)
    present = [table for name, table in tables.items() if name != "all" and not np.isnan(table).any()]
    if not present:
        return dict.fromkeys(tables, np.nan), (0, 0)
    mean = np.where(length <= reach_mm, np.mean(present, axis=0), -1.0)
    best = np.argwhere(mean >= mean.max() - 1e-12)
    row, column = min(best, key=lambda index: length[tuple(index)])
    scores = {name: float(table[row, column]) for name, table in tables.items()}
    return scores, (int(down[row, column]), int(right[row, column]))


def _overlaps(moving: np.ndarray, fixed: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """(2 rows + 1, 2 columns + 1) pixels that the masks (H, W) share for every shift of ``moving``."""
    padded = np.pad(fixed.astype(float), ((rows, rows), (columns, columns)))
    return np.rint(signal.correlate(padded, moving.astype(float), mode="valid", method="fft"))
