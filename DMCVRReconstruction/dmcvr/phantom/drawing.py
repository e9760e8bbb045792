"""The whole heart painted with its signals, as cut by a slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .heart import AORTIC, MITRAL, TRICUSPID, Heart, classify
from .shapes import Ripple, ellipsoid, paint, smooth_min, tube
from .signals import BLOOD, FAT, MYOCARDIUM, VALVE, VESSEL_WALL
from .ventricles import Distances
from .vessels import WALL_MM, vessel_distances


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


def _muscles_in_cavity(heart: Heart, local: np.ndarray) -> np.ndarray:
    """Distance to the two papillary muscles, each rising from the wall towards the mitral valve."""
    thick = 5.4 * heart.config.scale * (1 + 0.12 * heart.chambers.emptied)
    place = heart.chambers.place
    anterior = [
        place(0.84, 2.2, 0.95),
        place(0.70, 2.15, 0.74),
        place(0.50, 2.2, 0.60),
        place(0.36, 2.3, 0.48),
    ]
    posterior = [
        place(0.82, -1.75, 0.95),
        place(0.68, -1.8, 0.74),
        place(0.50, -1.9, 0.62),
        place(0.38, -2.1, 0.48),
    ]
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
    for centre, side, drop in (
        (mitral, np.array([0.5, 0.87, 0.0]), 1.0),
        (tricuspid, np.array([0.95, 0.3, 0.0]), 0.9),
    ):
        for sign in (1, -1):
            hinge = centre + sign * side * reach * drop
            tip = hinge - sign * side * reach * drop * np.cos(swing) - [0, 0, reach * drop * np.sin(swing)]
            np.minimum(out, tube(local, [hinge, tip], [1.2, 0.9]), out=out)
    offset = local - aortic.astype(np.float32)
    disc = np.maximum(np.abs(offset[:, 2]) - 0.7, np.hypot(offset[:, 0], offset[:, 1]) - 11)
    return np.minimum(out, disc) if filling < 0.1 else out


def paint_heart(
    image: np.ndarray, points: np.ndarray, heart: Heart, fields: Fields, width: float
) -> np.ndarray:
    """Paint the heart, its vessels and the fat around it over ``image`` (N,) in place, back to front.

    points: (N, 3) LPS float32. width: pixel, mm. Returns the (N,) uint8 ventricle labels of the points.
    """
    config, scale = heart.config, heart.config.scale
    local = heart.to_heart(points)
    distances = heart.chambers.distances(local)
    left, right = _atria(heart, local)
    left = np.maximum(left, distances.depth + 1.0)
    right = np.maximum(np.maximum(right, -distances.rv_top + 0.8), -distances.epi + 3)
    vessels = vessel_distances(heart, points)
    valves = np.maximum(
        np.abs(distances.depth + 1.5) - 1.5, distances.epi + 0.5
    )  # fibrous skeleton of the base

    wall = np.maximum(np.maximum(distances.rv_outer - config.rv_wall_mm, -distances.epi), distances.rv_top)
    muscle = distances.lv
    fat = smooth_min(smooth_min(muscle, wall, 14), smooth_min(left, right, 14), 26)
    fat = smooth_min(fat, np.minimum(vessels["aorta"], vessels["pulmonary"]), 26)
    front = np.clip(distances.cos * 0.7 + 0.5, 0, 1)  # little fat over the free wall of the LV
    thickness = (0.4 + 0.24 * config.fat_mm) * front * (1 + 0.8 * fields.fat(points)) - 0.8
    thickness = np.maximum(thickness, -3)
    paint(image, fat - thickness - 1, VESSEL_WALL, width)
    paint(image, fat - thickness, FAT, width)

    trabecular = fields.trabeculae(local) * config.trabeculae_mm
    flow = BLOOD + 0.06 * fields.flow(local, advance=5 * heart.chambers.emptied)
    for name, distance in vessels.items():
        paint(image, distance - WALL_MM[name], VESSEL_WALL, width)
        paint(image, distance, 0.96 * flow, width)
    for atrium in (right, left):
        paint(image, atrium - 1.6, VESSEL_WALL, width)
    inlet = np.minimum(vessels["cavae"], vessels["veins"])
    for atrium in (right, left):
        paint(image, atrium, 0.98 * flow, width)
    paint(image, np.maximum(inlet, smooth_min(left, right, 1) - 2.5), 0.97 * flow, width)

    paint(image, wall, MYOCARDIUM + 0.03, width)
    cavity = distances.rvc + 1.3 * np.maximum(trabecular, 0) * np.clip(distances.depth / 25, 0, 1)
    paint(image, cavity, 0.97 * flow, width)
    band = tube(local, _moderator_band(heart), [2.6 * scale, 2.2 * scale, 2.6 * scale])
    paint(image, np.maximum(band, distances.rvc), MYOCARDIUM, width)

    paint(image, valves, VALVE, width)
    paint(image, muscle, MYOCARDIUM, width)
    depth = np.clip(distances.depth / heart.chambers.length, 0, 1)
    cavity = distances.lvc + np.maximum(trabecular, 0) * np.clip(2.2 * depth - 0.4, 0, 1.2)
    paint(image, cavity, flow, width)
    papillary = _muscles_in_cavity(heart, local) - 0.5 * trabecular
    paint(image, np.maximum(papillary, distances.lvc), MYOCARDIUM + 0.02, width)

    mitral, tricuspid = (
        heart.landmark(MITRAL).astype(np.float32),
        heart.landmark(TRICUSPID).astype(np.float32),
    )
    opening = np.hypot(*(local - mitral).T[:2]) - 14.5 * scale
    paint(image, np.maximum(opening, np.abs(distances.depth) - 3.5), flow, width)
    opening = np.hypot(*(local - tricuspid).T[:2]) - 16 * scale
    paint(
        image,
        np.maximum(np.maximum(opening, np.abs(distances.rv_top) - 3), -distances.epi),
        0.97 * flow,
        width,
    )
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
