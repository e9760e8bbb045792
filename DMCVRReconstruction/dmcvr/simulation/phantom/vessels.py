"""The great vessels: where they run, and painting them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .heart import AORTIC, PULMONARY, Heart
from .shapes import paint_tubes, tube
from .signals import BLOOD, VESSEL_WALL

WALL_MM = {"cavae": 0.8, "veins": 0.8, "pulmonary": 1.4, "aorta": 1.6}


Places = Sequence[ArrayLike]
Radii = Sequence[float]
Course = tuple[np.ndarray, np.ndarray]
"""Points (K, 3), LPS mm, and radii (K,) of the blood in one vessel."""


def vessel_courses(
    left: np.ndarray, right: np.ndarray, pulmonary: tuple[Places, Radii], aorta: tuple[Places, Radii]
) -> dict[str, list[Course]]:
    """The great vessels by name, all blood, on their way between the heart and the rest of the body.

    left, right: (3,) LPS mm in the atria. pulmonary, aorta: points and radii of the two arteries' beginnings,
    which end at the pulmonary artery's fork and on the ascending aorta.
    """
    courses: dict[str, list[tuple[Places, Radii]]] = {
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
            ([*pulmonary[0], [20, 4, 68]], [*pulmonary[1], 11.5]),
            ([[20, 2, 68], [48, 26, 70], [72, 34, 50]], [11, 9, 5]),
            ([[20, 4, 68], [-22, 14, 60], [-58, 22, 48]], [11, 9, 5]),
        ],
        "aorta": [
            (
                [*aorta[0], [-10, -12, 88], [10, 14, 98], [24, 38, 84], [27, 42, 40], [26, 42, -20],
                 [14, 40, -260]],
                [*aorta[1], 13, 12.5, 11.5, 11, 10.5, 9],
            ),
        ],
    }  # fmt: skip
    return {
        name: [(np.array(path, np.float32), np.array(radii, np.float32)) for path, radii in parts]
        for name, parts in courses.items()
    }


def heart_vessels(heart: Heart) -> dict[str, list[Course]]:
    """The great vessels of a heart made by formula; only their roots move with it."""
    scale = heart.config.scale
    roots = [AORTIC - [2, 4, 9], AORTIC, PULMONARY - [0, 0, 7], PULMONARY]
    outflow, root, infundibulum, conus = (heart.to_body(heart.landmark(place)) for place in roots)
    return vessel_courses(
        left=heart.to_body([-7 * scale, -14 * scale, 24 * scale]),
        right=heart.to_body([50 * scale, -22 * scale, 20 * scale]),
        pulmonary=([infundibulum, conus, [16, -20, 60]], [12, 12.5, 13]),
        aorta=([outflow, root, [-14, -26, 60]], [10.5, 13, 14]),
    )


def vessel_distances(courses: dict[str, list[Course]], points: np.ndarray) -> dict[str, np.ndarray]:
    """(N,) distances to the blood of the great vessels."""
    return {
        name: np.min([tube(points, path, radii) for path, radii in parts], axis=0)
        for name, parts in courses.items()
    }


def paint_vessels(
    image: np.ndarray, points: np.ndarray, width: float, courses: dict[str, list[Course]]
) -> None:
    """Paint the great vessels over ``image`` (N,) in place, where nothing of the heart covers them."""
    for name, parts in courses.items():
        pieces = [(path[i : i + 2], radii[i : i + 2]) for path, radii in parts for i in range(len(path) - 1)]
        paint_tubes(image, points, pieces, VESSEL_WALL, width, extra=WALL_MM[name])
        paint_tubes(image, points, pieces, 0.96 * BLOOD, width)
