"""The great vessels: where they run, and painting them."""

from __future__ import annotations

import numpy as np

from .heart import AORTIC, PULMONARY, Heart
from .shapes import paint_tubes, tube
from .signals import BLOOD, VESSEL_WALL

WALL_MM = {"cavae": 0.8, "veins": 0.8, "pulmonary": 1.4, "aorta": 1.6}


def _vessel_paths(heart: Heart) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Course (K, 3), LPS mm, and radii (K,) of the blood in the great vessels; only their roots move."""
    scale = heart.config.scale
    roots = [AORTIC - [2, 4, 9], AORTIC, PULMONARY - [0, 0, 7], PULMONARY]
    outflow, root, infundibulum, conus = (heart.to_body(heart.landmark(place)) for place in roots)
    right = heart.to_body([50 * scale, -22 * scale, 20 * scale])
    left = heart.to_body([-7 * scale, -14 * scale, 24 * scale])
    courses = {
        "cavae": [
            ([[-34, -6, 160], [-36, 0, 60], right], [9, 9.5, 10]),
            ([right, [-30, 18, -40], [-22, 26, -260]], [10, 11, 10]),
        ],
        "veins": [
            ([left, [52, 36, 42], [74, 42, 48]], [7.5, 6, 3.5]),
            ([left, [50, 44, 8], [74, 52, -6]], [7.5, 6, 3.5]),
            ([left, [-40, 28, 38], [-66, 28, 44]], [7.5, 6, 3.5]),
            ([left, [-42, 34, 14], [-70, 44, 0]], [7.5, 6, 3.5]),
        ],
        "pulmonary": [
            ([infundibulum, conus, [16, -20, 60], [20, 4, 68]], [12, 12.5, 13, 11.5]),
            ([[20, 2, 68], [48, 26, 70], [72, 34, 50]], [11, 9, 5]),
            ([[20, 4, 68], [-22, 14, 60], [-58, 22, 48]], [11, 9, 5]),
        ],
        "aorta": [
            (
                [outflow, root, [-14, -26, 60], [-10, -12, 88], [10, 14, 98], [24, 38, 84],
                 [27, 42, 40], [26, 42, -20], [14, 40, -260]],
                [10.5, 13, 14, 13, 12.5, 11.5, 11, 10.5, 9],
            ),
        ],
    }  # fmt: skip
    return {
        name: [(np.array(path, np.float32), np.array(radii, np.float32)) for path, radii in parts]
        for name, parts in courses.items()
    }


def vessel_distances(heart: Heart, points: np.ndarray) -> dict[str, np.ndarray]:
    """(N,) distances to the blood of the great vessels."""
    return {
        name: np.min([tube(points, path, radii) for path, radii in parts], axis=0)
        for name, parts in _vessel_paths(heart).items()
    }


def paint_vessels(image: np.ndarray, points: np.ndarray, heart: Heart, width: float) -> None:
    """Paint the great vessels over ``image`` (N,) in place, where they have left the heart behind."""
    for name, parts in _vessel_paths(heart).items():
        pieces = [(path[i : i + 2], radii[i : i + 2]) for path, radii in parts for i in range(len(path) - 1)]
        paint_tubes(image, points, pieces, VESSEL_WALL, width, extra=WALL_MM[name])
        paint_tubes(image, points, pieces, 0.96 * BLOOD, width)
