"""The whole heart painted with its signals, as cut by a slice."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .heart import AORTIC, MITRAL, TRICUSPID, Heart, classify
from .shapes import Ripple, ellipsoid, paint, smooth_min, tube
from .signals import BLOOD, FAT, MYOCARDIUM, VALVE, VESSEL_WALL
from .ventricles import Distances
from .vessels import WALL_MM, heart_vessels, vessel_distances


@dataclass(frozen=True)
class Fields:
    """The patient's own irregularities, the same in every frame."""

    fat: Ripple
    trabeculae: Ripple
    flow: Ripple

    @classmethod
    def random(cls, seed: int) -> Fields:
        rng = np.random.default_rng([seed, 2])
        return cls(Ripple.random(rng, 40, 110), Ripple.random(rng, 8, 24, 10), Ripple.random(rng, 18, 60))


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


def papillary_muscles(
    points: np.ndarray, place: Callable[[float, float, float], np.ndarray], thick: float
) -> np.ndarray:
    """Distance of (N, 3) points to the two papillary muscles, each rising from the wall towards the mitral
    valve.

    place: a point (3,) of the LV cavity from depth over length, direction and share of the way from the axis
    to the wall, as `Ventricles.place` has them. thick: radius, mm.
    """
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
    heads = np.minimum(tube(points, anterior, radii), tube(points, posterior, radii))
    return np.minimum(heads, tube(points, second, [0.5 * thick, 0.6 * thick, 0.4 * thick]))


def _leaflets(heart: Heart, local: np.ndarray) -> np.ndarray:
    """Distance to the leaflets: mitral and tricuspid, shut or hanging open, and aortic, drawn while shut."""
    scale, ejecting = heart.config.scale, heart.chambers.ejecting
    swing = math.radians(14 if ejecting else 65)
    out = np.full(len(local), np.inf, np.float32)
    for centre, side, reach in (
        (MITRAL, [0.5, 0.87, 0.0], 15 * scale),
        (TRICUSPID, [0.95, 0.3, 0.0], 14 * scale),
    ):
        for outward in (np.array(side), -np.array(side)):
            hinge = heart.landmark(centre) + reach * outward
            tip = hinge - reach * (math.cos(swing) * outward + [0, 0, math.sin(swing)])
            np.minimum(out, tube(local, [hinge, tip], [1.2, 0.9]), out=out)
    if ejecting:
        return out
    across, along, up = (local - heart.landmark(AORTIC).astype(np.float32)).T
    return np.minimum(out, np.maximum(np.abs(up) - 0.7, np.hypot(across, along) - 11))


@dataclass(frozen=True)
class DrawnHeart:
    """One moment of a heart made by formula, to be imaged; see `render.Beating`."""

    heart: Heart
    fields: Fields

    def paint(self, image: np.ndarray, points: np.ndarray, width: float) -> np.ndarray:
        return paint_heart(image, points, self.heart, self.fields, width)

    def labels(self, points: np.ndarray) -> np.ndarray:
        return self.heart.labels(points)


def paint_heart(
    image: np.ndarray, points: np.ndarray, heart: Heart, fields: Fields, width: float
) -> np.ndarray:
    """Paint the heart, its vessels and the fat around it over ``image`` (N,) in place, back to front.

    points: (N, 3) LPS float32. width: pixel, mm. Returns the (N,) uint8 ventricle labels of the points.
    """
    local = heart.to_heart(points)
    distances = heart.chambers.distances(local)
    left, right = _atria(heart, local)
    left = np.maximum(left, distances.depth + 1.0)
    right = np.maximum(np.maximum(right, -distances.rv_top + 0.8), -distances.epi + 3)
    vessels = vessel_distances(heart_vessels(heart), points)
    wall = distances.rv_outer - heart.config.rv_wall_mm
    wall = np.maximum(np.maximum(wall, -distances.epi), distances.rv_top)
    trabeculae = np.maximum(fields.trabeculae(local), 0) * heart.config.trabeculae_mm
    flow = BLOOD + 0.06 * fields.flow(local, advance=5 * heart.chambers.emptied)

    organs = smooth_min(smooth_min(distances.lv, wall, 14), smooth_min(left, right, 14), 26)
    organs = smooth_min(organs, np.minimum(vessels["aorta"], vessels["pulmonary"]), 26)
    fat = _fat(heart, local, distances, organs, fields.fat(points))
    paint(image, fat - 1, VESSEL_WALL, width)
    paint(image, fat, FAT, width)
    _paint_inflow(image, left, right, vessels, 0.97 * flow, width)
    _paint_right(image, heart, local, distances, wall, trabeculae, 0.97 * flow, width)
    _paint_left(image, heart, local, distances, trabeculae, flow, width)
    _paint_valves(image, heart, local, distances, vessels, flow, width)
    return classify(distances)


def _fat(heart: Heart, local, distances: Distances, organs: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Distance to the epicardial fat: little over the LV's free wall, most in the grooves and over the RV."""
    groove = heart.landmark([26, 20, 10])  # between aortic root, RV outflow tract and right atrium
    filled = np.minimum(organs, ellipsoid(local, groove, np.array([26, 24, 20]) * heart.config.scale))
    front = np.clip(distances.cos * 0.7 + 0.5, 0, 1)
    thickness = (0.4 + 0.24 * heart.config.fat_mm) * front * (1 + 0.8 * field) - 0.8
    return filled - np.maximum(thickness, -3)


def _paint_inflow(image, left, right, vessels, blood, width) -> None:
    """Great vessels and atria."""
    for name, distance in vessels.items():
        paint(image, distance - WALL_MM[name], VESSEL_WALL, width)
        paint(image, distance, blood, width)
    for atrium in (right, left):
        paint(image, atrium - 1.6, VESSEL_WALL, width)
    for atrium in (right, left):
        paint(image, atrium, blood, width)
    mouths = np.maximum(np.minimum(vessels["cavae"], vessels["veins"]), np.minimum(left, right) - 2.5)
    paint(image, mouths, blood, width)


def _paint_right(image, heart: Heart, local, distances: Distances, wall, trabeculae, blood, width) -> None:
    """RV wall, cavity and moderator band."""
    paint(image, wall, MYOCARDIUM + 0.03, width)
    cavity = distances.rvc + 1.3 * trabeculae * np.clip(distances.depth / 25, 0, 1)
    paint(image, cavity, blood, width)
    band = tube(local, _moderator_band(heart), np.array([2.6, 2.2, 2.6]) * heart.config.scale)
    paint(image, np.maximum(band, distances.rvc), MYOCARDIUM, width)


def _paint_left(image, heart: Heart, local, distances: Distances, trabeculae, blood, width) -> None:
    """Fibrous skeleton of the base, LV wall, cavity and papillary muscles."""
    skeleton = np.maximum(np.abs(distances.depth + 1.5) - 1.5, distances.epi + 0.5)
    paint(image, skeleton, VALVE, width)
    paint(image, distances.lv, MYOCARDIUM, width)
    apical = np.clip(2.2 * distances.depth / heart.chambers.length - 0.4, 0, 1.2)
    paint(image, distances.lvc + trabeculae * apical, blood, width)
    thick = 5.4 * heart.config.scale * (1 + 0.12 * heart.chambers.emptied)
    papillary = papillary_muscles(local, heart.chambers.place, thick) - 0.3 * trabeculae
    paint(image, np.maximum(papillary, distances.lvc), MYOCARDIUM + 0.02, width)


def _paint_valves(image, heart: Heart, local, distances: Distances, vessels, blood, width) -> None:
    """Openings through the valve planes, above the ventricles only, and the leaflets in them."""
    scale, above_lv, above_rv = heart.config.scale, -distances.depth, distances.rv_top

    def ring(centre: np.ndarray, radius: float) -> np.ndarray:
        across = local[:, :2] - heart.landmark(centre)[:2].astype(np.float32)
        return np.hypot(across[:, 0], across[:, 1]) - radius * scale

    for opening, above, reach in (
        (ring(MITRAL, 14.5), above_lv, 3.5),
        (vessels["aorta"], above_lv, 9),
        (np.maximum(ring(TRICUSPID, 16), -distances.epi), above_rv, 3),
        (vessels["pulmonary"], above_rv, 5),
    ):
        slab = np.maximum(above - reach, -above - 0.5)
        paint(image, np.maximum(opening, slab), blood, width)
    paint(image, _leaflets(heart, local), VALVE, width)


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
