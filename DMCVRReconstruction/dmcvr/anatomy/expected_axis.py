"""Where the long axis most likely lies, judged before anything is segmented.

A short-axis stack tells the direction of the long axis, and patient coordinates which end of it is the apex
and on which side the right ventricle (RV) lies. Long-axis planes are set through the long axis of the left
ventricle, so most of them cross there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ..core.geometry import Plane, unit
from .long_axis import LongAxis

TOWARDS_APEX = (1.0, -1.0, -1.0)  # LPS: left, front, feet
TOWARDS_RV = (-0.86, -0.48, -0.18)  # LPS: right and front
LEAST_ANGLE_DEGREES = 25.0  # between two planes whose crossing says something
NEAR_MM = 8.0  # planes that pass a point by less cross there
FAR_MM = 25.0  # from the middle of the stack, where two planes cross that need not both hold the long axis


def expected_long_axis(slices: Sequence[Plane], lax: Sequence[Plane] = ()) -> LongAxis:
    """The long axis expected for short-axis ``slices`` and long-axis images in the planes ``lax``, LPS mm.

    Its centre is where most of ``lax`` cross, of several such places the one nearest to the middle of the
    stack; the middle of the stack where no three of them cross, and no two near it.
    """
    normal = slices[0].normal
    apex = normal * np.sign(normal @ np.array(TOWARDS_APEX))
    rv = np.array(TOWARDS_RV)
    rv = unit(rv - apex * (rv @ apex))
    middle = np.mean([plane.centre for plane in slices], axis=0)
    across = np.stack([rv, np.cross(apex, rv)])
    return LongAxis(middle + _crossing(middle, across, lax) @ across, apex, rv)


def _crossing(middle: np.ndarray, across: np.ndarray, lax: Sequence[Plane]) -> np.ndarray:
    """(2,) mm from ``middle`` along the two directions ``across`` (2, 3): where most of ``lax`` cross."""
    normals = np.array([plane.normal @ across.T for plane in lax]).reshape(-1, 2)
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals / lengths[:, None]
    offsets = np.array([(plane.origin - middle) @ plane.normal for plane in lax]) / lengths
    best, score = np.zeros(2), (0, 0.0)
    for pair in map(list, combinations(range(len(lax)), 2)):
        if abs(np.linalg.det(normals[pair])) < np.sin(np.deg2rad(LEAST_ANGLE_DEGREES)):
            continue
        point = np.linalg.solve(normals[pair], offsets[pair])
        count = int((np.abs(normals @ point - offsets) < NEAR_MM).sum())
        if count < 3 and np.linalg.norm(point) > FAR_MM:
            continue
        if (count, -float(np.linalg.norm(point))) > score:
            best, score = point, (count, -float(np.linalg.norm(point)))
    return best
