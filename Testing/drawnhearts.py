"""Hearts drawn with a few strokes: in one slice by discs, in 3D as half ellipsoids of a known pose."""

import numpy as np
from dmcvr.anatomy.signed_distances import WHOLE_MM, nested_distances
from dmcvr.core.geometry import Grid, unit
from dmcvr.core.labels import LVC, LVM, RVC

SPACING = (1.5, 1.5)


def disc_heart(lv_radius: float, size: int = 64, wall: float = 5.0, rv: bool = True) -> np.ndarray:
    """Labels (size, size): an LV disc of ``lv_radius`` pixels with a ``wall``, an RV disc half behind it."""
    y, x = np.mgrid[:size, :size] - size // 2
    labels = np.zeros((size, size), np.uint8)
    if rv:
        labels[np.hypot(y, x + 18) < 10] = RVC
    labels[np.hypot(y, x) < lv_radius] = LVM
    labels[np.hypot(y, x) < lv_radius - wall] = LVC
    return labels


def whole(*slices: np.ndarray) -> np.ndarray:
    return nested_distances(np.stack(slices), SPACING, WHOLE_MM)


def areas(distances: np.ndarray, channel: int) -> np.ndarray:
    return (distances[:, channel] > 0).sum((-2, -1))


# The pose of a heart in a chest: apex to the left, front and foot; RV to the right and front of the LV. LPS.
APEX = unit(np.array([0.6, -0.5, -0.6]))


RV = unit(np.array([-0.8, -0.6, 0.0]) - APEX * (np.array([-0.8, -0.6, 0.0]) @ APEX))


CENTRE = np.array([20.0, -40.0, 100.0])


def ellipsoid_heart(normal):
    """Labels (Z, Y, X) and Grid, slices stacked along ``normal``: a half ellipsoid, open at the base."""
    x = unit(np.cross([0.3, 1.0, 0.2], normal))
    steps = 1.5 * x, 1.5 * np.cross(normal, x), 2.0 * normal
    shape = (72, 96, 96)
    corner = CENTRE - sum(step * (n - 1) / 2 for step, n in zip(steps, shape[::-1], strict=True))
    grid = Grid(corner, *steps, shape)
    points = grid.position(np.moveaxis(np.indices(shape), 0, -1)) - CENTRE
    along = points @ APEX
    beside = np.stack([points @ RV, points @ np.cross(APEX, RV)], -1)

    def inside(radius, length, towards_rv=0.0):
        round_ = ((beside - [towards_rv, 0]) ** 2).sum(-1) / radius**2
        return (((along + 30) / length) ** 2 + round_ < 1) & (along > -30)

    labels = np.zeros(shape, np.uint8)
    labels[inside(30, 60, 30)] = RVC
    labels[inside(34, 80)] = LVM
    labels[inside(24, 70)] = LVC
    return labels, grid
