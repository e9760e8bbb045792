"""Where the slices of an examination lie."""

from __future__ import annotations

import numpy as np

from ...core.geometry import Plane, unit
from .config import PhantomConfig


def centred(middle: np.ndarray, x: np.ndarray, y: np.ndarray, shape: tuple[int, int], pixel: float) -> Plane:
    """A plane about ``middle`` along the unit vectors ``x`` and ``y``; pixel: mm."""
    height, width = shape
    origin = middle - pixel * ((width - 1) / 2 * x + (height - 1) / 2 * y)
    return Plane(origin, pixel * x, pixel * y, shape)


def sax_planes(
    config: PhantomConfig, normal: np.ndarray, centre: np.ndarray, low: float, high: float
) -> list[Plane]:
    """Planes across the LV's long axis, config.slice_gap_mm apart.

    normal: (3,) unit vector along the axis, from the apex to the base. centre: (3,) LPS mm, the middle of the
    heart. low, high: from ``centre`` along ``normal`` to the first plane, and to where the last one may not
    lie below, mm.
    """
    x = unit(np.cross([0.0, 1.0, 0.0], normal))  # no front-to-back part: the sternum stays on top
    y = np.cross(normal, x)
    gap = config.slice_gap_mm
    count = int(np.ceil((high - low) / gap)) + 1
    centre = centre - 0.6 * (centre @ x) * x - 0.3 * (centre @ y) * y  # between the heart and the body's axis
    middles = [centre + (low + i * gap) * normal for i in range(count)]
    return [centred(middle, x, y, config.matrix, config.pixel_mm) for middle in middles]


def lax_planes(
    config: PhantomConfig, apex: np.ndarray, mitral: np.ndarray, tricuspid: np.ndarray, aortic: np.ndarray
) -> dict[str, Plane]:
    """Long-axis planes through the apex and the middle of the mitral valve, all (3,) LPS mm.

    "4ch" also holds the tricuspid valve, "3ch" the aortic valve; "2ch" stands at about 65 degrees to "4ch".
    """
    axis = unit(mitral - apex)

    def plane(sideways: np.ndarray, down: np.ndarray) -> Plane:
        """The plane of axis and ``sideways``, turned so that the image's y axis comes closest to ``down``."""
        normal = unit(np.cross(axis, sideways))
        y = unit(down - (down @ normal) * normal)
        x = np.cross(y, normal)
        middle = 0.62 * mitral + 0.38 * apex
        x = x if x @ [1.0, 1.0, 0.0] > 0 else -x
        return centred(middle, x, y, config.lax_matrix, config.pixel_mm)

    to_tricuspid = tricuspid - mitral
    in_plane = unit(to_tricuspid - (to_tricuspid @ axis) * axis)
    across = np.cross(axis, in_plane) - 0.45 * in_plane  # turned out of the way of the aortic root
    posterior, inferior = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])
    return {
        "2ch": plane(across, inferior),
        "3ch": plane(aortic - mitral, inferior),
        "4ch": plane(to_tricuspid, posterior),
    }
