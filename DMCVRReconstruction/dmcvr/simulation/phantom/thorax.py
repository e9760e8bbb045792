"""The body around the heart: chest wall, lungs, mediastinum, spine and upper abdomen. LPS mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .config import PhantomConfig
from .shapes import Ripple, ellipsoid, occupancy, paint, paint_tubes, superellipse, tube
from .signals import (
    BOWEL,
    CORD,
    CORTEX,
    DISC,
    FAT,
    FLUID,
    KIDNEY_CORTEX,
    KIDNEY_MEDULLA,
    LIVER,
    LIVER_VESSEL,
    LUNG,
    LUNG_VESSEL,
    MARROW,
    MUSCLE,
    OESOPHAGUS,
    SKIN,
    SPLEEN,
    STOMACH,
    STOMACH_WALL,
)


@dataclass(frozen=True)
class Thorax:
    """One patient's body; ``branches`` are lung and liver vessels as (path (K, 3), radii (K,))."""

    config: PhantomConfig
    lung_branches: tuple[tuple[np.ndarray, np.ndarray], ...]
    liver_branches: tuple[tuple[np.ndarray, np.ndarray], ...]
    wave: Ripple
    mottle: Ripple

    @classmethod
    def of(cls, config: PhantomConfig) -> Thorax:
        rng = np.random.default_rng([config.seed, 3])
        lungs = [
            _branch(rng, [side * 52, 36, 30], [side * 0.9, 0, 0], 120) for side in (1, -1) for _ in range(16)
        ]
        liver = [_branch(rng, [-40, 10, -70], [-0.6, 0, -0.3], 90) for _ in range(14)]
        waves = Ripple.random(rng, 90, 200), Ripple.random(rng, 9, 26, 10)
        return cls(config, tuple(lungs), tuple(liver), *waves)

    def paint(self, image: np.ndarray, points: np.ndarray, shift: np.ndarray, width: float) -> None:
        """Paint the body over ``image`` (N,) in place.

        points: (N, 3) LPS float32. shift: (3,) mm by which breathing has moved what lies inside the chest.
        """
        inside = self._wall(image, points, width)
        moved = points[inside] - shift.astype(np.float32)
        organs = image[inside]
        self._organs(organs, moved, width)
        image[inside] = organs
        self._spine(image, points, width)

    def _wall(self, image: np.ndarray, points: np.ndarray, width: float) -> np.ndarray:
        """Skin, fat, muscle and ribs; returns the indices of points that reach into the chest or abdomen."""
        x, y, z = points.T
        config = self.config
        narrowing = np.clip((z - 90) / 160, 0, 0.55).astype(np.float32)
        a = 0.5 * config.chest_width_mm * (1 - narrowing)
        b = 0.5 * config.chest_depth_mm * (1 - 0.5 * narrowing)
        skin = superellipse(x, y, a, b) + 3 * self.wave(points)
        fat = config.fat_mm * (0.75 + 0.45 * np.abs(x) / a - 0.15 * y / b)
        breast = (
            0.5 * config.fat_mm * np.exp(-(((np.abs(x) - 75) / 45) ** 2) - ((z - 15) / 60) ** 2) * (y < 0)
        )
        skin = skin - breast
        paint(image, skin, SKIN, width)
        paint(image, skin + 2.2, FAT, width)
        pectoral = 9 * np.exp(-(((np.abs(x) - 70) / 50) ** 2)) * np.clip((z + 10) / 60, 0, 1) * (y < 0)
        pectoral += 10 * np.exp(-(((np.abs(x) - a + 30) / 30) ** 2) - (y / 50) ** 2)
        dorsal = 20 * np.exp(-(((np.abs(x) - 38) / 26) ** 2)) * (y > 0)
        cavity = superellipse(x, y + 3, a - 28 - 0.6 * config.fat_mm, b - 17 - 0.8 * config.fat_mm, 2.3)
        paint(image, np.minimum(skin + fat, cavity - 13 - pectoral), MUSCLE, width)
        streak = np.maximum(np.abs(cavity - 9 - dorsal * 0.3) - 1.3, -8 + np.abs(self.wave(points)) * 10)
        paint(image, np.maximum(streak, -np.abs(y) + 8), FAT, width)
        cavity = cavity + np.where(y > 0, dorsal * 0.15, 0)
        rib = np.mod(z + 0.55 * y + 0.05 * np.abs(x), 27) - 13.5
        ribs = np.maximum(np.abs(cavity - 4.5) - 3.2, np.abs(rib) - 6.0)
        ribs = np.where((np.abs(x) < 22) & (y < 0), np.inf, ribs)
        paint(image, ribs, CORTEX, width)
        paint(image, ribs + 1.4, MARROW, width)
        sternum = np.maximum(np.maximum(np.abs(cavity - 5) - 4.5, np.abs(x) - 17), np.maximum(y, -60 - z))
        paint(image, sternum, CORTEX, width)
        paint(image, sternum + 1.5, MARROW + 0.08, width)
        paint(image, cavity, FAT, width)
        paint(image, cavity + 1.5, LUNG, width)
        return np.flatnonzero(cavity < width)

    def _diaphragm(self, points: np.ndarray) -> np.ndarray:
        """Signed height over the diaphragm, mm, positive in the chest."""
        x, y, z = points.T
        right = -16 - 0.0085 * ((x + 62) ** 2 + (y - 8) ** 2)
        left = -34 - 0.0085 * ((x - 62) ** 2 + (y - 16) ** 2)
        middle = -38 - 0.006 * (x**2 + (y + 20) ** 2)
        return 0.8 * (z - np.maximum(np.maximum(right, left), middle) + 2.5 * self.wave(points))

    def _organs(self, image: np.ndarray, points: np.ndarray, width: float) -> None:
        """What breathing moves: lungs, mediastinum and, below the diaphragm, the abdomen."""
        paint_tubes(image, points, self.lung_branches, LUNG_VESSEL, width)
        hilum = ellipsoid(points, [2, 28, 30], [40, 34, 90])
        mediastinum = np.minimum(hilum, ellipsoid(points, [2, -10, 80], [26, 38, 36]))
        front = 15.5 + 0.8 * self.config.fat_mm - 0.5 * self.config.chest_depth_mm
        # A fat pad lies behind the sternum.
        pad = ellipsoid(points, [14, front, -24], [46, 8 + 0.6 * self.config.fat_mm, 44])
        mediastinum = np.minimum(mediastinum, pad)
        paint(image, mediastinum + 2 * self.wave(points), FAT * 0.85, width)
        gullet = tube(points, [[6, 40, 160], [8, 40, 0], [14, 34, -80]], 6.5)
        paint(image, gullet, OESOPHAGUS, width)
        airway = tube(points, [[0, 22, 200], [0, 34, 88]], 8.5)
        airway = np.minimum(airway, tube(points, [[0, 34, 88], [48, 40, 56]], 6.5))
        airway = np.minimum(airway, tube(points, [[0, 34, 88], [-48, 40, 58]], 7))
        paint(image, airway - 1.2, MUSCLE, width)
        paint(image, airway, LUNG, width)

        above = self._diaphragm(points)
        below = np.flatnonzero(above < width)
        if not len(below):
            return
        organs, p, above = image[below], points[below], above[below]
        paint(organs, above, MUSCLE, width)
        paint(organs, above + 2.2, FAT * (1 + 0.08 * self.mottle(p)), width)
        self._abdomen(organs, p, above, width)
        image[below] = organs

    def _abdomen(self, image: np.ndarray, p: np.ndarray, above: np.ndarray, width: float) -> None:
        x, y, z = p.T
        # The liver's oblique left and lower face.
        lower = 0.5 * (x - 48) + 0.6 * (-z - 115) - 0.2 * (y + 20) + 6 * self.wave(p)
        liver = np.maximum(np.maximum(above + 2.6, 0.75 * lower), -165 - z)
        liver = np.maximum(liver, ellipsoid(p, [-60, 0, -85], [112, 102, 105]))
        paint(image, liver, LIVER * (1 + 0.04 * self.mottle(p)), width)
        bright = image.copy()
        paint_tubes(bright, p, self.liver_branches, LIVER_VESSEL, width)
        image += occupancy(liver + 4, width) * (bright - image)
        mottled = 1 + 0.35 * self.mottle(p)
        stomach = np.maximum(ellipsoid(p, [62, -6, -92], [40, 46, 40]), above + 5)
        paint(image, stomach, STOMACH_WALL, width)
        paint(image, stomach + 3.5, STOMACH * mottled, width)
        paint(image, np.maximum(ellipsoid(p, [92, 46, -86], [30, 36, 44]), above + 3), SPLEEN, width)
        for side, height in ((1, -150), (-1, -160)):
            kidney = ellipsoid(p, [side * 58, 58, height], [27, 25, 50])
            paint(image, kidney, KIDNEY_CORTEX, width)
            paint(image, kidney + 9, KIDNEY_MEDULLA, width)
        bowel = np.maximum(self.mottle(0.5 * p) * 14 - 4, np.maximum(above + 9, z + 85))
        paint(image, np.maximum(bowel, -liver + 6), BOWEL, width)

    def _spine(self, image: np.ndarray, points: np.ndarray, width: float) -> None:
        x, y, z = points.T
        bow = 0.5 * self.config.chest_depth_mm - 62 - 0.0006 * z**2  # y of the vertebrae's front third
        y = y - bow
        near = np.flatnonzero((np.abs(x) < 60) & (y > -30))
        x, y, z, spine = x[near], y[near], z[near], image[near]
        level = np.abs(np.mod(z, 25) - 12.5)
        body = superellipse(x, y, 19, 15, 2.2)
        paint(spine, body - 2, MUSCLE, width)
        paint(spine, body, DISC, width)
        vertebra = np.maximum(body, level - 10.5)
        paint(spine, vertebra, CORTEX, width)
        paint(spine, vertebra + 1.2, MARROW, width)
        arch = np.maximum(superellipse(x, y - 26, 16, 13, 2), -superellipse(x, y - 25, 9.5, 8, 2))
        process = np.maximum(np.abs(x) - 3.5, np.maximum(np.abs(y - 42) - 13, level - 7))
        paint(spine, np.minimum(arch, process), MARROW * 0.7, width)
        paint(spine, superellipse(x, y - 24, 9.5, 8, 2), FLUID, width)
        paint(spine, superellipse(x, y - 24, 5.2, 4, 2), CORD, width)
        image[near] = spine


def _branch(rng: np.random.Generator, root: list, drift: list, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """A wandering, tapering vessel from about ``root``."""
    steps = rng.normal(size=(4, 3)) * [0.5, 0.7, 0.9] + rng.normal(size=3) * [0.3, 0.8, 1.0] + drift
    steps *= (reach / 4) / np.linalg.norm(steps, axis=1, keepdims=True)
    start = np.array(root) + rng.normal(size=3) * [4, 8, 12]
    path = np.concatenate([start[None], start + np.cumsum(steps, axis=0)])
    return path, rng.uniform(2.4, 4.2) * np.array([1, 0.75, 0.55, 0.4, 0.25])
