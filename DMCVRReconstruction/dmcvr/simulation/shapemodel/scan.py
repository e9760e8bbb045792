"""A heart of the shape model in a body, examined as a phantom is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.geometry import Grid
from ...core.labels import LVM, RVC
from ..phantom import Examination, PhantomConfig
from ..phantom.examination import examine
from ..phantom.heart import MITRAL, Heart
from ..phantom.planes import lax_planes, sax_planes
from ..phantom.render import Scene
from ..phantom.thorax import Thorax
from .drawing import DrawnShape, draw
from .heart_shape import Shape


@dataclass(frozen=True)
class ScannedHeart(Examination):
    """Cine MR, one frame, of a heart of the shape model. heart: in its place in the body, LPS mm."""

    heart: DrawnShape

    def truth(self, grid: Grid) -> np.ndarray:
        """(Z, Y, X) uint8 labels of the undisplaced heart at voxel centres."""
        points = (grid.plane(z).points().reshape(-1, 3) for z in range(grid.shape[0]))
        return np.stack([self.heart.labels(slab).reshape(grid.shape[1:]) for slab in points])


def scan_heart(shape: Shape, config: PhantomConfig, frame: int = 0) -> ScannedHeart:
    """Scan ``shape`` in the body of ``config`` and by its scanner. The same arguments give the same scan.

    frame: the cine frame that the heart stands for, which decides how far its base has come down.
    """
    placed = place_in_body(shape, Heart.at(config, config.phases[frame]))
    heart = draw(placed, config)
    scene = Scene(Thorax.of(config), (heart,), heart.ball, heart.vessels)
    u, _, w = placed.axes
    mitral = placed.landmark("mitral")
    ventricles = placed.grid.position(np.argwhere(np.isin(placed.tissues, (LVM, RVC))))
    # Where the first slice falls is chance.
    below = config.slice_gap_mm * np.random.default_rng([config.seed, 12]).uniform(0.3, 1.3)
    low = float(((ventricles - mitral) @ w).min()) - below
    sax = sax_planes(config, w, mitral + 12 * config.scale * u, low, 15 * config.scale)
    valves = (placed.landmark(valve) for valve in ("mitral", "tricuspid", "aortic"))
    lax = lax_planes(config, placed.apex, *valves)
    return ScannedHeart(**vars(examine(config, scene, (frame,), sax, lax)), heart=heart)


def place_in_body(shape: Shape, place: Heart) -> Shape:
    """``shape`` turned and moved to where the phantom of the same patient has its ventricles."""
    roll = np.deg2rad(place.config.roll_deg)
    u, v, w = place.axes
    axes = np.stack([np.cos(roll) * u + np.sin(roll) * v, np.cos(roll) * v - np.sin(roll) * u, w])
    to = place.to_body(place.landmark(MITRAL))
    return shape.moved(axes.T @ shape.axes, shape.landmark("mitral"), to)
