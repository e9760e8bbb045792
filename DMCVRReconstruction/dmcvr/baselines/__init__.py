"""The methods DMCVR is measured against, all with one signature.

    interpolate(frame, labels, positions, wanted, spacing) -> (images, labels)

frame: (S, H, W) float32 intensities, every slice in one in-plane frame. labels: (S, H, W) uint8.
positions: (S,) mm, increasing, gaps may differ. wanted: (Z,) mm, from the first position to the last.
spacing: in-plane (x, y) mm. Returns images (Z, H, W) float32 and labels (Z, H, W) uint8. At an acquired
position the acquired slice and its labels come back unchanged. ValueError: a wanted position beyond the ends.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import registration, shape, weighted

Interpolate = Callable[
    [np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[float, float]], tuple[np.ndarray, np.ndarray]
]

BASELINES: dict[str, Interpolate] = {
    "nearest": weighted.nearest,
    "linear": weighted.linear,
    "bspline": weighted.bspline,
    "shape": shape.interpolate,
    "registration": registration.interpolate,
}
