"""Both ventricles at one moment of the beat, by formula.

Heart coordinates (u, v, w), mm: w from the LV apex towards the base, 0 at ED's valve plane on the long axis;
u from the long axis towards the RV; v = w x u, towards the anterior wall.

The LV is a bullet. With depth d below the valve plane, s = d / length and polar (rho, theta) about the axis,
the cavity is rho^2 < radius(theta)^2 f2(s), f2(s) = (1 - s^p)(1 - b max(1 - 4s, 0)^2)^2. The epicardium is
longer and wider, with the same profile. A tilted valve plane shears d, a bent axis shears (u, v): neither
changes a volume. So volumes are products of f2's integral and the mean of radius^2, and a wall or a width
solves a scalar equation.
The RV lies on the epicardium: its free wall is the epicardial radius plus gap(theta, d).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from .config import PhantomConfig

POWER, WAIST = 2.4, 0.12  # p and b above
WIDEST = math.radians(25)  # direction in which the LV cavity is slightly oval
OVAL = 0.07
APICAL_WALL = 0.5  # apical wall relative to the lateral one

# Share of the stroke that has left the LV: ejection, rapid filling, diastasis, atrial kick.
_PHASE = (0, 0.05, 0.20, 0.32, 0.37, 0.41, 0.52, 0.62, 0.80, 0.92, 1)
_EJECTED = (0, 0.05, 0.70, 1, 1, 0.96, 0.45, 0.27, 0.21, 0.03, 0)
ejected = PchipInterpolator(_PHASE, _EJECTED)


def _profile(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f2 and its derivative."""
    s = np.maximum(s, 0)
    waist = np.maximum(1 - 4 * s, 0)
    narrowing = 1 - WAIST * waist**2
    power = s ** (POWER - 1)
    bullet = 1 - power * s
    return bullet * narrowing**2, -POWER * power * narrowing**2 + bullet * 16 * WAIST * narrowing * waist


_S = np.linspace(0, 1, 2001)
FILL = float(np.trapezoid(_profile(_S)[0], _S))  # volume over pi radius^2 length


@dataclass(frozen=True)
class Distances:
    """Signed distances (N,) mm, negative inside; and the polar coordinates they came from."""

    depth: np.ndarray
    rho: np.ndarray
    cos: np.ndarray
    sin: np.ndarray
    endo: np.ndarray  # LV cavity, its bullet going on above the valve plane
    epi: np.ndarray  # the same for the epicardium
    rv_outer: np.ndarray  # RV free wall's inner face
    rv_top: np.ndarray  # tricuspid and pulmonary valve plane, positive above

    @property
    def lvc(self) -> np.ndarray:
        return np.maximum(self.endo, -self.depth)

    @property
    def lv(self) -> np.ndarray:
        """Cavity and myocardium together."""
        return np.maximum(self.epi, -self.depth)

    @property
    def rvc(self) -> np.ndarray:
        return np.maximum(np.maximum(self.rv_outer, -self.epi), self.rv_top)


@dataclass(frozen=True)
class Ventricles:
    """One moment. Lengths in mm, angles in radians."""

    length: float
    radius: float
    wall: float
    septal_ratio: float
    base: float  # w of the valve plane on the axis
    slope: tuple[float, float]  # of the valve plane along u and v
    bend: float  # sideways displacement of the apex
    rv_gain: float  # largest gap between epicardium and RV free wall
    rv_length: float
    rv_turn: float
    scale: float
    emptied: float  # share of the stroke that has left
    ejecting: bool  # aortic valve open, mitral and tricuspid valve shut
    twist: float
    rv_half: float = math.radians(80)  # half the angle over which the RV covers the LV at the base

    @cached_property
    def epi_length(self) -> float:
        return self.length + APICAL_WALL * self.wall

    def endo_radius(self, cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
        double = (cos**2 - sin**2) * math.cos(2 * WIDEST) + 2 * sin * cos * math.sin(2 * WIDEST)
        return self.radius * np.sqrt(1 + OVAL * double)

    def epi_radius(self, cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
        wall = self.wall * (1 + (self.septal_ratio - 1) * np.maximum(0.5 + 0.5 * cos, 0) ** 1.5)
        return self.endo_radius(cos, sin) + wall

    @property
    def lv_ml(self) -> float:
        """Volume of the LV cavity."""
        return np.pi * self.radius**2 * self.length * FILL / 1000

    @property
    def myocardium_ml(self) -> float:
        """Volume of the LV wall below the valve plane."""
        theta = np.arange(128) * (2 * np.pi / 128)
        area = np.pi * np.mean(self.epi_radius(np.cos(theta), np.sin(theta)) ** 2)
        return area * self.epi_length * FILL / 1000 - self.lv_ml

    def _gap(self, cos: np.ndarray, sin: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """Width of the RV between epicardium and free wall; falls below zero where there is no RV."""
        across = cos * math.cos(self.rv_turn) + sin * math.sin(self.rv_turn)
        edge = math.cos(self.rv_half)
        level = (across - edge) / (1 - edge) - (np.maximum(depth, 0) / self.rv_length) ** 1.8
        return self.rv_gain * np.sign(level) * np.abs(level) ** 0.66

    def _rv_top(self, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        # The tricuspid ring sits nearer the apex than the mitral one, the pulmonary valve further away.
        tilt = 0.26
        return (w - self.base + self.scale * 10 - tilt * (v + 12 * self.scale)) / math.hypot(1, tilt)

    @property
    def rv_ml(self) -> float:
        """Volume of the RV cavity, by quadrature in the polar coordinates."""
        theta = (np.arange(72) + 0.5) * (2 * np.pi / 72)
        depth = np.linspace(-25 * self.scale, self.rv_length, 81)[:, None]
        cos, sin = np.cos(theta), np.sin(theta)
        inner = self.epi_radius(cos, sin) * np.sqrt(np.maximum(_profile(depth / self.epi_length)[0], 0))
        gap = np.maximum(self._gap(cos, sin, depth), 0)
        share = ((np.arange(16) + 0.5) / 16)[:, None, None]
        rho = inner + share * gap
        u, v = rho * cos + self._axis(depth), rho * sin
        w = self.base + self.slope[0] * u + self.slope[1] * v - depth
        cells = rho * gap / 16 * (self._rv_top(v, w) < 0)
        return float(cells.sum() * (2 * np.pi / 72) * (depth[1, 0] - depth[0, 0])) / 1000

    def _axis(self, depth: np.ndarray) -> np.ndarray:
        return self.bend * (np.maximum(depth, 0) / self.length) ** 2

    def _bullet(self, rho, radius, depth, length) -> np.ndarray:
        level, slope = _profile(depth / length)
        value = np.sqrt(np.maximum((rho / radius) ** 2 + 1 - level, 1e-6))
        gradient = np.hypot(rho / radius**2, slope / (2 * length)) / value
        return (value - 1) / np.maximum(gradient, 0.4 / radius)

    def distances(self, points: np.ndarray) -> Distances:
        """Of (N, 3) points in heart coordinates."""
        u, v, w = np.ascontiguousarray(points.T)
        depth = self.base + self.slope[0] * u + self.slope[1] * v - w
        u = u - self._axis(depth)
        rho = np.maximum(np.hypot(u, v), 1e-3)
        cos, sin = u / rho, v / rho
        epi_radius = self.epi_radius(cos, sin)
        epi = self._bullet(rho, epi_radius, depth, self.epi_length)
        at_depth = epi_radius * np.sqrt(np.maximum(_profile(depth / self.epi_length)[0], 0))
        return Distances(
            depth=depth,
            rho=rho,
            cos=cos,
            sin=sin,
            endo=self._bullet(rho, self.endo_radius(cos, sin), depth, self.length),
            epi=epi,
            rv_outer=0.8 * (rho - at_depth - self._gap(cos, sin, depth)),
            rv_top=self._rv_top(v, w),
        )

    def place(self, s: float, theta: float, share: float) -> np.ndarray:
        """(3,) heart coordinates of a material point of the LV cavity.

        s: depth over length. share: distance from the axis over the cavity's radius there. theta: at ED; the
        twist of the beat carries it along.
        """
        theta = theta + self.twist * (s - 0.4)
        depth = s * self.length
        level = np.sqrt(np.maximum(_profile(np.asarray(s))[0], 0))
        radius = self.endo_radius(np.cos(theta), np.sin(theta)) * level
        u, v = share * radius * np.cos(theta) + self._axis(np.asarray(depth)), share * radius * np.sin(theta)
        return np.array([u, v, self.base + self.slope[0] * u + self.slope[1] * v - depth])


def ventricles(config: PhantomConfig, phase: float) -> Ventricles:
    """Both ventricles at ``phase`` (0-1 of the beat).

    The cavity has the volume the curve asks for, the wall its volume at ED; the RV ejects what the LV does.
    """
    emptied = float(ejected(phase % 1))
    volume = config.edv_ml * (1 - config.ef * emptied) * 1000
    ed_length = config.elongation * (config.edv_ml * 1000) ** (1 / 3)
    descent = 0.155 * ed_length * min(config.ef / 0.6, 1.2) * emptied
    tilt = math.tan(math.radians(config.tilt_deg))

    def with_length(length: float, volume: float) -> Ventricles:
        return Ventricles(
            length=length,
            radius=float(np.sqrt(volume / (np.pi * length * FILL))),
            wall=config.wall_mm,
            septal_ratio=config.septal_ratio,
            base=length - ed_length,
            slope=(-0.4 * tilt, 0.9 * tilt),
            bend=4.0 * config.scale,
            rv_gain=30.0,
            rv_length=0.93 * length,
            rv_turn=math.radians(2 + config.roll_deg),
            scale=config.scale,
            emptied=emptied,
            ejecting=0.02 < phase % 1 < 0.37,
            twist=math.radians(config.twist_deg) * emptied,
        )

    muscle = with_length(ed_length, config.edv_ml * 1000).myocardium_ml
    now = with_length(ed_length - descent, volume)
    wall = brentq(
        lambda t: replace(now, wall=t).myocardium_ml - muscle, 0.3 * config.wall_mm, 5 * config.wall_mm
    )
    now = replace(now, wall=wall)
    rv_edv = config.rv_ratio * config.edv_ml
    rv_volume = rv_edv - min(config.ef * config.edv_ml, 0.7 * rv_edv) * emptied
    gain = brentq(lambda g: replace(now, rv_gain=g).rv_ml - rv_volume, 1.0, 300.0, xtol=0.01)
    return replace(now, rv_gain=gain)
