"""A heart of the shape model painted with its signals, as cut by a slice."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ...anatomy.signed_distances import STRUCTURES
from ...core.geometry import Grid
from ...core.labels import BACKGROUND, LVC, LVM, RVC
from ..phantom import PhantomConfig
from ..phantom.drawing import Fields, papillary_muscles
from ..phantom.shapes import occupancy, paint
from ..phantom.signals import BLOOD, FAT, MYOCARDIUM, VALVE, VESSEL_WALL
from ..phantom.vessels import Course, paint_vessels, vessel_courses
from . import tissues as t
from .heart_shape import Shape

SIGNALS = {
    LVC: BLOOD,
    LVM: MYOCARDIUM,
    RVC: 0.97 * BLOOD,
    t.RV_WALL: MYOCARDIUM + 0.03,
    t.VALVE: 0.5 * (VALVE + BLOOD),  # in the files the valves are thicker than leaflets
    **dict.fromkeys((t.LA_WALL, t.RA_WALL, t.AORTA_WALL, t.PULMONARY_WALL), VESSEL_WALL),
    **dict.fromkeys((t.LA, t.RA, t.AORTA, t.PULMONARY), 0.97 * BLOOD),
}
FAT_VOXELS = 2  # epicardial fat is worked out on a lattice this many times coarser
GROOVE_MM = 12.0  # fat fills grooves up to twice as wide, relative to the heart's scale
BLUR_VOXELS = 0.7  # the ventricles' borders, which otherwise show the voxels of the mean heart
FAR_MM = 60.0  # a distance beyond all fat


@dataclass(frozen=True)
class DrawnShape:
    """A heart to be imaged; see `phantom.render.Beating`.

    ventricles: (3, Z, Y, X) float32 on the shape's lattice, above 1/2 in LVC, LVC + LVM and RVC.
    signal, cover: (Z, Y, X) float32 on the same lattice, what the heart shows, 0 outside it, and 1 inside it.
    fat: (z, y, x) float32 mm on ``fat_grid``, distance to the epicardial fat, negative inside.
    """

    shape: Shape
    ventricles: np.ndarray
    signal: np.ndarray
    cover: np.ndarray
    fat: np.ndarray
    fat_grid: Grid
    vessels: dict[str, list[Course]]

    def paint(self, image: np.ndarray, points: np.ndarray, width: float) -> np.ndarray:
        fat = self.fat_grid.sample(self.fat, points, fill=FAR_MM)
        paint(image, fat - 1, VESSEL_WALL, width)
        paint(image, fat, FAT, width)
        paint_vessels(image, points, width, self.vessels)
        grid = self.shape.grid
        image *= 1 - grid.sample(self.cover, points)
        image += grid.sample(self.signal, points)
        return self.labels(points)

    def labels(self, points: np.ndarray) -> np.ndarray:
        cavity, whole, right = (self.shape.grid.sample(part, points) > 0.5 for part in self.ventricles)
        labels = np.where(right, RVC, BACKGROUND).astype(np.uint8)
        labels[whole] = LVM
        labels[whole & cavity] = LVC
        return labels

    @property
    def ball(self) -> tuple[np.ndarray, float]:
        """Centre (3,) LPS float32 and radius of a ball about the heart and its fat."""
        grid = self.fat_grid
        inside = grid.position(np.argwhere(self.fat < 1))
        centre = (inside.min(0) + inside.max(0)) / 2
        radius = np.linalg.norm(inside - centre, axis=1).max() + max(grid.spacing)
        return centre.astype(np.float32), float(radius)


def draw(shape: Shape, config: PhantomConfig) -> DrawnShape:
    """Paint ``shape``, in its place in the body, as the heart of the patient of ``config``."""
    fields = Fields.random(config.seed)
    local = _Local(shape)
    signal = np.zeros(shape.tissues.shape, np.float32)
    for tissue, value in SIGNALS.items():
        signal[shape.tissues == tissue] = value
    _paint_cavity(signal, local, LVC, (LVM,), config, fields)
    _paint_cavity(signal, local, RVC, (LVM, t.RV_WALL), config, fields)
    fat, fat_grid = _fat(shape, local, config, fields)
    cover = (shape.tissues != BACKGROUND).astype(np.float32)
    inside = [np.isin(shape.tissues, members).astype(np.float32) for members in STRUCTURES]
    ventricles = np.stack([ndimage.gaussian_filter(mask, BLUR_VOXELS) for mask in inside])
    return DrawnShape(shape, ventricles, signal, cover, fat, fat_grid, shape_vessels(shape, config.scale))


def shape_vessels(shape: Shape, scale: float) -> dict[str, list[Course]]:
    """The great vessels where they have left the heart; scale: of the heart."""
    arteries = [
        [shape.landmark(valve), shape.landmark(end)]
        for valve, end in (("pulmonary", "pulmonary_artery"), ("aortic", "aorta"))
    ]
    radii = [9 * scale, 11 * scale]
    return vessel_courses(
        shape.landmark("left_atrium"), shape.landmark("right_atrium"), *((path, radii) for path in arteries)
    )


class _Local:
    """Coordinates about the LV's long axis: u, v, w of `Shape.axes` from the middle of the mitral valve."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.axes = shape.axes
        self.base = shape.landmark("mitral")
        self.length = float(self.axes[2] @ (self.base - shape.apex))
        self.mm = shape.grid.voxel_ml ** (1 / 3) * 10  # a voxel's size

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) float32 u, v, w of LPS points."""
        return ((points - self.base) @ self.axes.T).astype(np.float32)

    def place(self, s: float, theta: float, share: float) -> np.ndarray:
        """(3,) u, v, w of a point in the LV cavity, as `Ventricles.place` has it."""
        ray = np.arange(0, 80, 0.5)[:, None] * [np.cos(theta), np.sin(theta), 0] - [0, 0, s * self.length]
        inside = self.shape.grid.sample(self.shape.tissues, self.base + ray @ self.axes, order=0) == LVC
        wall = int(inside.argmin())
        return ray[0] + share * (ray[wall] - ray[0])


def _paint_cavity(
    signal: np.ndarray,
    local: _Local,
    cavity: int,
    walls: tuple[int, ...],
    config: PhantomConfig,
    fields: Fields,
) -> None:
    """Flow and trabeculae in a ventricle's cavity, and the papillary muscles in the left one, in place."""
    box = t.padded_box(local.shape.tissues == cavity, 2)
    part, image = local.shape.tissues[box], signal[box]
    inside = np.argwhere(part == cavity)
    points = local.shape.grid.position(inside + [axis.start for axis in box]).astype(np.float32)
    at = local(points)
    blood = SIGNALS[cavity] * (1 + 0.06 * fields.flow(at))
    rough = np.maximum(fields.trabeculae(at), 0) * config.trabeculae_mm
    depth = -at[:, 2]
    if cavity == LVC:
        rough *= np.clip(2.2 * depth / local.length - 0.4, 0, 1.2)
    else:
        rough *= 1.3 * np.clip(depth / 25, 0, 1)
    to_wall = ndimage.distance_transform_edt(~np.isin(part, walls), local.mm)[tuple(inside.T)]
    muscle = np.where(rough > 0, to_wall - local.mm / 2 - rough, np.inf)
    if cavity == LVC:
        thick = 5.4 * config.scale
        muscle = np.minimum(muscle, papillary_muscles(at, local.place, thick) - 0.3 * rough)
    image[tuple(inside.T)] = blood + occupancy(muscle, local.mm) * (MYOCARDIUM + 0.02 - blood)


def _fat(shape: Shape, local: _Local, config: PhantomConfig, fields: Fields) -> tuple[np.ndarray, Grid]:
    """Distance to the epicardial fat, and the lattice it is on.

    As in the phantom it fills the grooves and is thickest over the RV; there is hardly any over the LV's free
    wall.
    """
    step, mm = FAT_VOXELS, local.mm * FAT_VOXELS
    margin = int(np.ceil(1.5 * GROOVE_MM * config.scale / mm)) + 4
    heart = np.pad(shape.tissues[::step, ::step, ::step] != BACKGROUND, margin)
    coarse = shape.grid
    grid = replace(
        coarse,
        step_x=coarse.step_x * step,
        step_y=coarse.step_y * step,
        step_z=coarse.step_z * step,
        shape=heart.shape,
        origin=coarse.position(np.full(3, -margin * step)),
    )
    reach = GROOVE_MM * config.scale
    away = ndimage.distance_transform_edt(~heart, mm)
    grown = away <= reach
    filled = np.where(grown, reach - ndimage.distance_transform_edt(grown, mm), away)
    points = grid.position(np.moveaxis(np.indices(heart.shape), 0, -1)).reshape(-1, 3).astype(np.float32)
    at = local(points)
    front = np.clip(at[:, 0] / np.maximum(np.hypot(at[:, 0], at[:, 1]), 1) * 0.7 + 0.5, 0, 1)
    thickness = (0.4 + 0.24 * config.fat_mm) * front * (1 + 0.8 * fields.fat(points)) - 0.8
    return (filled - np.maximum(thickness, -3).reshape(filled.shape)).astype(np.float32), grid
