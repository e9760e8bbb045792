"""The beating heart in the body: labels of the ventricles, and the whole heart painted with its signals.

Signals are those of balanced steady-state free precession, blood 1. Fat is negative: it is out of phase with water
at TE = TR / 2, and the magnitude of the sum gives the dark lines around organs that readers know.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..geometry import unit
from ..labels import LVC, LVM, RVC
from .config import PhantomConfig
from .shapes import Ripple, ellipsoid, paint, paint_tubes, smooth_min, squared_norm, tube
from .ventricles import Distances, Ventricles, ventricles

BLOOD, MUSCLE, VALVE, WALL, FAT = 1.0, 0.25, 0.42, 0.30, -0.85
BASE_LPS = np.array([10.0, -12.0, 8.0])  # middle of the LV's valve plane at ED, body coordinates
VESSEL_WALL = {"cavae": 0.8, "veins": 0.8, "pulmonary": 1.4, "aorta": 1.6}  # mm

# Heart coordinates of a heart of scale 1, w counted from the moving valve plane.
MITRAL = np.array([-6.0, -7.0, 0.0])
AORTIC = np.array([9.0, 15.5, 2.0])
TRICUSPID = np.array([48.0, -14.0, -12.0])
PULMONARY = np.array([15.0, 47.0, 2.0])


@dataclass(frozen=True)
class Heart:
    """One moment of one patient's heart, in its place in the body."""

    config: PhantomConfig
    chambers: Ventricles

    @classmethod
    def at(cls, config: PhantomConfig, phase: float) -> Heart:
        return cls(config, ventricles(config, phase))

    @cached_property
    def axes(self) -> np.ndarray:
        """(3, 3), rows u, v, w: LPS unit vectors of the heart coordinates."""
        w = -self.config.apex_direction
        u = np.array([-0.92, -0.27, -0.29])
        u = unit(u - (u @ w) * w)
        return np.stack([u, np.cross(w, u), w])

    def to_body(self, points: np.ndarray) -> np.ndarray:
        """LPS of (..., 3) heart coordinates."""
        return BASE_LPS + np.asarray(points) @ self.axes

    def to_heart(self, points: np.ndarray) -> np.ndarray:
        """Heart coordinates of (..., 3) LPS."""
        return ((points - BASE_LPS.astype(np.float32)) @ self.axes.T.astype(np.float32)).astype(np.float32)

    def landmark(self, relative: np.ndarray) -> np.ndarray:
        """Heart coordinates of a landmark given as for a heart of scale 1 from the valve plane."""
        return np.asarray(relative) * self.config.scale + [0, 0, self.chambers.base]

    @property
    def apex(self) -> np.ndarray:
        """Heart coordinates of the tip of the LV cavity."""
        return self.chambers.place(1.0, 0.0, 0.0)

    @property
    def ball(self) -> tuple[np.ndarray, float]:
        """Centre (LPS) and radius of a ball that holds both ventricles at any moment."""
        length, scale = self.chambers.length, self.config.scale
        half = 0.5 * length + 8
        return self.to_body([22 * scale, 5 * scale, -half + 8]), half + 42 * scale + self.chambers.wall

    def labels(self, points: np.ndarray) -> np.ndarray:
        """(N,) uint8 ventricle labels of (N, 3) LPS points: papillary muscles count as cavity, nothing above the valves."""
        out = np.zeros(len(points), np.uint8)
        centre, radius = self.ball
        near = np.flatnonzero(squared_norm(points - centre.astype(np.float32)) < radius**2)
        out[near] = classify(self.chambers.distances(self.to_heart(points[near])))
        return out


def classify(distances: Distances) -> np.ndarray:
    """(N,) uint8 labels."""
    labels = np.where(distances.rvc < 0, RVC, 0).astype(np.uint8)
    labels[distances.lv < 0] = LVM
    labels[distances.lvc < 0] = LVC
    return labels


@dataclass(frozen=True)
class Fields:
    """The patient's own irregularities, the same in every frame."""

    fat: Ripple
    trabeculae: Ripple
    flow: Ripple

    @classmethod
    def random(cls, seed: int) -> Fields:
        rng = np.random.default_rng([seed, 2])
        return cls(Ripple.random(rng, 40, 110), Ripple.random(rng, 7, 16, 10), Ripple.random(rng, 18, 60))


def _atria(heart: Heart, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the blood of the left and right atrium; they fill as the valve plane descends."""
    scale, base, fill = heart.config.scale, heart.chambers.base, 1 + 0.08 * heart.chambers.emptied
    top = 44 * scale
    half = (top - base) / 2 + 3 * scale
    left = ellipsoid(
        local, [-7 * scale, -11 * scale, top - half], [27 * scale * fill, 22 * scale * fill, half]
    )
    bottom, top = base - 15 * scale, 34 * scale
    half = (top - bottom) / 2
    centre = np.array([50 * scale, -22 * scale, (top + bottom) / 2])
    return left, ellipsoid(local, centre, [23 * scale * fill, 24 * scale * fill, half])


def _vessel_paths(heart: Heart) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Course (K, 3), LPS mm, and radii (K,) of the blood in the great vessels; only their roots move."""
    scale = heart.config.scale
    body = lambda relative: heart.to_body(heart.landmark(relative))  # noqa: E731
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
            ([body(PULMONARY - [0, 0, 7]), body(PULMONARY), [16, -20, 60], [20, 4, 68]], [12, 12.5, 13, 11.5]),
            ([[20, 2, 68], [48, 26, 70], [72, 34, 50]], [11, 9, 5]),
            ([[20, 4, 68], [-22, 14, 60], [-58, 22, 48]], [11, 9, 5]),
        ],
        "aorta": [
            (
                [body(AORTIC - [2, 4, 9]), body(AORTIC), [-14, -26, 60], [-10, -12, 88], [10, 14, 98], [24, 38, 84],
                 [27, 42, 40], [26, 42, -20], [14, 40, -260]],
                [10.5, 13, 14, 13, 12.5, 11.5, 11, 10.5, 9],
            ),
        ],
    }  # fmt: skip
    return {
        name: [(np.array(path, np.float32), np.array(radii, np.float32)) for path, radii in parts]
        for name, parts in courses.items()
    }


def _vessels(heart: Heart, points: np.ndarray) -> dict[str, np.ndarray]:
    """(N,) distances to the blood of the great vessels."""
    return {
        name: np.min([tube(points, path, radii) for path, radii in parts], axis=0)
        for name, parts in _vessel_paths(heart).items()
    }


def _muscles_in_cavity(heart: Heart, local: np.ndarray) -> np.ndarray:
    """Distance to the two papillary muscles, each rising from the wall towards the mitral valve."""
    thick = 5.4 * heart.config.scale * (1 + 0.12 * heart.chambers.emptied)
    place = heart.chambers.place
    anterior = [place(0.84, 2.2, 0.95), place(0.70, 2.15, 0.74), place(0.50, 2.2, 0.60), place(0.36, 2.3, 0.48)]
    posterior = [place(0.82, -1.75, 0.95), place(0.68, -1.8, 0.74), place(0.50, -1.9, 0.62), place(0.38, -2.1, 0.48)]
    radii = [thick * 0.9, thick, thick * 0.95, thick * 0.45]
    second = [place(0.80, 1.5, 0.98), place(0.62, 1.8, 0.80), place(0.48, 2.1, 0.62)]
    heads = np.minimum(tube(local, anterior, radii), tube(local, posterior, radii))
    return np.minimum(heads, tube(local, second, [0.5 * thick, 0.6 * thick, 0.4 * thick]))


def _leaflets(heart: Heart, local: np.ndarray, distances: Distances) -> np.ndarray:
    """Distance to mitral, tricuspid and aortic leaflets, open or shut with the phase (shut while blood is ejected)."""
    scale, filling = heart.config.scale, heart.chambers.emptied
    mitral, tricuspid, aortic = (heart.landmark(place) for place in (MITRAL, TRICUSPID, AORTIC))
    shut = np.clip(1.6 * filling - 0.1, 0, 1) if filling > 0.3 else 1.0 - filling
    reach, swing = 15 * scale, np.radians(70) * (1 - 0.8 * shut)
    out = np.full(len(local), np.inf, np.float32)
    for centre, side, drop in ((mitral, np.array([0.5, 0.87, 0.0]), 1.0), (tricuspid, np.array([0.95, 0.3, 0.0]), 0.9)):
        for sign in (1, -1):
            hinge = centre + sign * side * reach * drop
            tip = hinge - sign * side * reach * drop * np.cos(swing) - [0, 0, reach * drop * np.sin(swing)]
            np.minimum(out, tube(local, [hinge, tip], [1.2, 0.9]), out=out)
    offset = local - aortic.astype(np.float32)
    disc = np.maximum(np.abs(offset[:, 2]) - 0.7, np.hypot(offset[:, 0], offset[:, 1]) - 11)
    return np.minimum(out, disc) if filling < 0.1 else out


def paint_vessels(image: np.ndarray, points: np.ndarray, heart: Heart, width: float) -> None:
    """Paint the great vessels over ``image`` (N,) in place, for where they have left the moving heart behind."""
    for name, parts in _vessel_paths(heart).items():
        pieces = [
            (path[i : i + 2], radii[i : i + 2]) for path, radii in parts for i in range(len(path) - 1)
        ]
        paint_tubes(image, points, pieces, WALL, width, extra=VESSEL_WALL[name])
        paint_tubes(image, points, pieces, 0.96 * BLOOD, width)


def paint_heart(image: np.ndarray, points: np.ndarray, heart: Heart, fields: Fields, width: float) -> np.ndarray:
    """Paint the heart, its vessels and the fat around it over ``image`` (N,) in place, back to front.

    points: (N, 3) LPS float32. width: pixel, mm. Returns the (N,) uint8 ventricle labels of the points.
    """
    config, scale = heart.config, heart.config.scale
    local = heart.to_heart(points)
    distances = heart.chambers.distances(local)
    left, right = _atria(heart, local)
    left = np.maximum(left, distances.depth + 1.0)
    right = np.maximum(np.maximum(right, -distances.rv_top + 0.8), -distances.epi + 3)
    vessels = _vessels(heart, points)
    valves = np.maximum(np.abs(distances.depth + 1.5) - 1.5, distances.epi + 0.5)  # fibrous skeleton of the base

    wall = np.maximum(np.maximum(distances.rv_outer - config.rv_wall_mm, -distances.epi), distances.rv_top)
    muscle = distances.lv
    fat = smooth_min(smooth_min(muscle, wall, 14), smooth_min(left, right, 14), 26)
    fat = smooth_min(fat, np.minimum(vessels["aorta"], vessels["pulmonary"]), 10)
    front = np.clip(distances.cos * 0.7 + 0.5, 0, 1)  # little fat over the free wall of the LV
    thickness = (0.4 + 0.24 * config.fat_mm) * front * (1 + 0.8 * fields.fat(points)) - 0.8
    thickness = np.maximum(thickness, -3)
    paint(image, fat - thickness - 1, WALL, width)
    paint(image, fat - thickness, FAT, width)

    trabecular = fields.trabeculae(local) * config.trabeculae_mm
    flow = BLOOD + 0.06 * fields.flow(local, advance=5 * heart.chambers.emptied)
    for name, distance in vessels.items():
        paint(image, distance - VESSEL_WALL[name], WALL, width)
        paint(image, distance, 0.96 * flow, width)
    for atrium in (right, left):
        paint(image, atrium - 1.6, WALL, width)
    inlet = np.minimum(vessels["cavae"], vessels["veins"])
    for atrium in (right, left):
        paint(image, atrium, 0.98 * flow, width)
    paint(image, np.maximum(inlet, smooth_min(left, right, 1) - 2.5), 0.97 * flow, width)

    paint(image, wall, MUSCLE + 0.03, width)
    cavity = distances.rvc + 1.3 * np.maximum(trabecular, 0) * np.clip(distances.depth / 25, 0, 1)
    paint(image, cavity, 0.97 * flow, width)
    band = tube(local, _moderator_band(heart), [2.6 * scale, 2.2 * scale, 2.6 * scale])
    paint(image, np.maximum(band, distances.rvc), MUSCLE, width)

    paint(image, valves, VALVE, width)
    paint(image, muscle, MUSCLE, width)
    depth = np.clip(distances.depth / heart.chambers.length, 0, 1)
    cavity = distances.lvc + np.maximum(trabecular, 0) * np.clip(2.2 * depth - 0.4, 0, 1.2)
    paint(image, cavity, flow, width)
    papillary = _muscles_in_cavity(heart, local) - 0.5 * trabecular
    paint(image, np.maximum(papillary, distances.lvc), MUSCLE + 0.02, width)

    mitral, tricuspid = heart.landmark(MITRAL).astype(np.float32), heart.landmark(TRICUSPID).astype(np.float32)
    opening = np.hypot(*(local - mitral).T[:2]) - 14.5 * scale
    paint(image, np.maximum(opening, np.abs(distances.depth) - 3.5), flow, width)
    opening = np.hypot(*(local - tricuspid).T[:2]) - 16 * scale
    paint(image, np.maximum(np.maximum(opening, np.abs(distances.rv_top) - 3), -distances.epi), 0.97 * flow, width)
    outflow = np.maximum(vessels["aorta"], np.abs(distances.depth) - 9)
    paint(image, outflow, 0.97 * flow, width)
    outflow = np.maximum(vessels["pulmonary"], np.abs(distances.rv_top) - 5)
    paint(image, outflow, 0.97 * flow, width)
    paint(image, _leaflets(heart, local, distances), VALVE, width)
    return classify(distances)


def _moderator_band(heart: Heart) -> np.ndarray:
    """(3, 3) heart coordinates from the septum through the RV cavity to its free wall."""
    chambers = heart.chambers
    depth = 0.66 * chambers.length
    turn = chambers.rv_turn - 0.25
    wall = chambers.radius + chambers.wall * chambers.septal_ratio
    reach = wall + 0.62 * chambers.rv_gain
    start = [wall * 0.8 * np.cos(turn), wall * 0.8 * np.sin(turn), chambers.base - depth + 8]
    end = [reach * np.cos(turn - 0.35), reach * np.sin(turn - 0.35), chambers.base - depth - 2]
    middle = (np.array(start) + end) / 2 - [0, 0, 4]
    return np.array([start, middle, end])
