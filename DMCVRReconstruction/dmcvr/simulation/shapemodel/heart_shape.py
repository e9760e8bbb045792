"""One heart's shape: its parts on a lattice, and where its valves are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ...core.geometry import Grid, unit
from ...core.labels import LVC, RVC
from .tissues import AORTA, LA, PULMONARY, RA, VALVE

LANDMARKS = (
    "mitral", "tricuspid", "aortic", "pulmonary", "left_atrium", "right_atrium", "aorta", "pulmonary_artery",
)  # fmt: skip
"""Centres of the four valves, of the atria, and of the cut ends of the two arteries."""


@dataclass(frozen=True)
class Shape:
    """tissues: (Z, Y, X) uint8, see `tissues`, on ``grid``, whose axes need not be perpendicular.
    landmarks: (8, 3) mm, in the order of LANDMARKS.
    """

    tissues: np.ndarray
    grid: Grid
    landmarks: np.ndarray

    def landmark(self, name: str) -> np.ndarray:
        """(3,) mm."""
        return self.landmarks[LANDMARKS.index(name)]

    def volume_ml(self, tissue: int) -> float:
        """Volume of one tissue."""
        return np.count_nonzero(self.tissues == tissue) * self.grid.voxel_ml

    @property
    def apex(self) -> np.ndarray:
        """(3,) mm, the place in the LV cavity furthest from the mitral valve."""
        places = self.grid.position(np.argwhere(self.tissues == LVC))
        return places[np.argmax(((places - self.landmark("mitral")) ** 2).sum(1))]

    @property
    def axes(self) -> np.ndarray:
        """(3, 3), rows u, v, w, as of the phantom's heart coordinates: w from the LV apex to the middle of
        the mitral valve, u at right angles to it towards the middle of the RV cavity, v = w x u.
        """
        apex, mitral = self.apex, self.landmark("mitral")
        w = unit(mitral - apex)
        towards = self.grid.position(np.argwhere(self.tissues == RVC).mean(0)) - (apex + mitral) / 2
        u = unit(towards - (towards @ w) * w)
        return np.stack([u, np.cross(w, u), w])

    def moved(self, matrix: np.ndarray, fixed: np.ndarray, to: np.ndarray) -> Shape:
        """The shape under x -> to + matrix (x - fixed)."""
        grid = self.grid
        return replace(
            self,
            grid=Grid.of_steps(
                to + matrix @ (grid.origin - fixed),
                (matrix @ step for step in (grid.step_x, grid.step_y, grid.step_z)),
                grid.shape,
            ),
            landmarks=to + (self.landmarks - fixed) @ matrix.T,
        )


def find_landmarks(tissues: np.ndarray, grid: Grid) -> np.ndarray:
    """(8, 3) mm, in the order of LANDMARKS, of tissues whose blood is filled in.

    Raises ValueError where a valve does not lie between its two chambers.
    """

    def centre(mask: np.ndarray) -> np.ndarray:
        return grid.position(np.argwhere(mask).mean(0))

    parts, count = ndimage.label(tissues == VALVE, np.ones((3, 3, 3)))
    beside = {}
    for part in range(1, count + 1):
        around = np.unique(tissues[ndimage.binary_dilation(parts == part, iterations=2)])
        beside[part] = set(around.tolist())
    places = []
    for chambers in ((LVC, LA), (RVC, RA), (LVC, AORTA), (RVC, PULMONARY)):
        found = [part for part, around in beside.items() if set(chambers) <= around]
        if len(found) != 1:
            raise ValueError(f"{len(found)} valves lie between the tissues {chambers}")
        places.append(centre(parts == found[0]))
    places += [centre(tissues == chamber) for chamber in (LA, RA)]
    for vessel, valve in ((AORTA, places[2]), (PULMONARY, places[3])):
        blood = grid.position(np.argwhere(tissues == vessel))
        away = np.linalg.norm(blood - valve, axis=1)
        places.append(blood[away >= np.quantile(away, 0.9)].mean(0))
    return np.stack(places)
