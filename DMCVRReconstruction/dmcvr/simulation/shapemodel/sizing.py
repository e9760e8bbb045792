"""Hearts of other sizes: larger and smaller cavities, thinner and thicker walls, and a likeness of
end-systole.

The hearts of the shape model are healthy and at end-diastole. Scaling a heart sets the volume of its whole
left ventricle, LVC and LVM together; moving the endocardium within it then divides that volume as asked, and
moving the RV's free wall sets the RVC. Toward end-systole the wall keeps its volume, as muscle does, and so
thickens while the cavity empties and the long axis shortens. What that leaves out: atria and vessels shrink
with the ventricles instead of filling, the valves stay as they are, and nothing twists.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ...anatomy.pieces import largest_piece
from ...core.labels import BACKGROUND, LVC, LVM, RVC
from ..phantom import PhantomConfig
from ..phantom.ventricles import ventricles
from .heart_shape import Shape
from .tissues import RV_WALL, VALVE, padded_box

NORMAL_ELONGATION = 1.73  # of the phantom's formulas
RV_REACH_MM = 12.0  # the RV's free wall moves outward by no more
VALVE_REACH_MM = 25.0  # nearer to a valve than this, walls move less: at it, by the shares below
LV_VALVE_SHARE, RV_VALVE_SHARE = 0.3, 0.5
LARGEST_RV_EF = 0.6  # the formulas' RV ejects what the LV does, which may be most of a small one
TYPICAL_WALL_MM = 10.0


@dataclass(frozen=True)
class Sizes:
    """lvc_ml, lvm_ml, rvc_ml: volumes. stretch: length of the LV relative to scaling alike in all directions.
    rv_wall_mm: thickness of the RV's free wall.
    """

    lvc_ml: float
    lvm_ml: float
    rvc_ml: float
    stretch: float
    rv_wall_mm: float


def sizes_at(config: PhantomConfig, phase: float) -> Sizes:
    """What the phantom's formulas say of this patient at ``phase`` (0-1 of the beat): the LV ejects and
    shortens, its wall keeps its volume.
    """
    diastole, now = ventricles(config, 0.0), ventricles(config, phase)
    shortening = now.length / diastole.length
    shrinking = (now.lv_ml + now.myocardium_ml) / (diastole.lv_ml + diastole.myocardium_ml)
    return Sizes(
        lvc_ml=now.lv_ml,
        lvm_ml=now.myocardium_ml,
        rvc_ml=max(now.rv_ml, (1 - LARGEST_RV_EF) * diastole.rv_ml),
        stretch=config.elongation / NORMAL_ELONGATION * shortening / shrinking ** (1 / 3),
        rv_wall_mm=config.rv_wall_mm,
    )


def resize(shape: Shape, sizes: Sizes) -> Shape:
    """The heart with other sizes, about the middle of its mitral valve.

    The volumes come out as asked to the voxel, but for crumbs cut off, unless the RV's free wall had to move
    outward by more than RV_REACH_MM or the LV's wall to become thinner than a voxel.
    """
    whole_ml = shape.volume_ml(LVC) + shape.volume_ml(LVM)
    growth = (sizes.lvc_ml + sizes.lvm_ml) / whole_ml
    scale, voxel_ml = growth ** (1 / 3), shape.grid.voxel_ml * growth
    tissues = shape.tissues.copy()
    spacing = shape.grid.spacing[0]
    _move_endocardium(tissues, round(sizes.lvc_ml / voxel_ml), spacing)
    _move_free_wall(tissues, round(sizes.rvc_ml / voxel_ml), spacing, sizes.rv_wall_mm / scale)
    w = shape.axes[2]
    along, across = scale * sizes.stretch, scale / np.sqrt(sizes.stretch)
    matrix = across * np.eye(3) + (along - across) * np.outer(w, w)
    fixed = shape.landmark("mitral")
    return replace(shape, tissues=tissues).moved(matrix, fixed, fixed)


def _move_endocardium(tissues: np.ndarray, count: int, spacing: float) -> None:
    """Change the border of LVC and LVM, in place, until the cavity has ``count`` voxels.

    Outward it takes the same share of the wall everywhere, and never its last voxel; inward it takes the same
    thickness, less next to the valves.
    """
    box = padded_box(np.isin(tissues, (LVC, LVM)), 3)
    part = tissues[box]
    cavity, wall = part == LVC, part == LVM
    whole = cavity | wall
    outside = ndimage.binary_dilation(~whole & (part != VALVE), np.ones((3, 3, 3)))
    candidates = cavity | (wall & ~outside)
    to_cavity, to_outside = _distance(~cavity, spacing), _distance(whole, spacing)
    share = (to_cavity - spacing / 2) / np.maximum(to_cavity + to_outside - spacing, spacing / 2)
    inward = (_distance(~wall, spacing) - spacing / 2) / (
        TYPICAL_WALL_MM * _freedom(part, spacing, LV_VALVE_SHARE)
    )
    level = _smooth(np.where(wall, share, -inward), whole)
    part[whole] = LVM
    part[largest_piece(_lowest(level, candidates, count))] = LVC


def _move_free_wall(tissues: np.ndarray, count: int, spacing: float, thickness: float) -> None:
    """Move the RV's free wall, in place, until the RV cavity has ``count`` voxels, and build its wall anew,
    ``thickness`` mm of the unscaled heart.

    Inward it moves by the same share of the way to the septum, so that the thin parts of the cavity stay.
    """
    box = padded_box(np.isin(tissues, (RVC, RV_WALL)), int(RV_REACH_MM / spacing) + 3)
    part = tissues[box]
    cavity, free = part == RVC, (part == RV_WALL) | (part == BACKGROUND)
    outward = _distance(~cavity, spacing)
    to_free, to_septum = _distance(part != RV_WALL, spacing), _distance(part != LVM, spacing)
    share = (to_free - spacing / 2) / (to_free + np.minimum(to_septum, RV_REACH_MM))
    inward = share / _freedom(part, spacing, RV_VALVE_SHARE)
    candidates = cavity | (free & (outward <= RV_REACH_MM))
    level = _smooth(np.where(cavity, -inward, outward), candidates)
    filled = largest_piece(_lowest(level, candidates, count))
    part[cavity | free] = BACKGROUND
    part[(cavity | free) & (_distance(~filled, spacing) <= thickness)] = RV_WALL
    part[filled] = RVC


def _lowest(level: np.ndarray, among: np.ndarray, count: int) -> np.ndarray:
    """Mask of the ``count`` voxels ``among`` which ``level`` is lowest, or all of them if they are fewer."""
    inside = np.flatnonzero(among)
    count = min(count, len(inside))
    chosen = inside[np.argpartition(level.ravel()[inside], count - 1)[:count]]
    mask = np.zeros(level.size, bool)
    mask[chosen] = True
    return mask.reshape(level.shape)


def _freedom(part: np.ndarray, spacing: float, at_valve: float) -> np.ndarray:
    """How far walls move at each voxel relative to far from the valves."""
    return np.clip(_distance(part != VALVE, spacing) / VALVE_REACH_MM, at_valve, 1)


def _distance(mask: np.ndarray, spacing: float) -> np.ndarray:
    """mm from each voxel of ``mask`` to the nearest one outside it."""
    return ndimage.distance_transform_edt(mask, spacing)


def _smooth(level: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """``level`` blurred by a voxel within ``inside``, so that borders do not show the voxels of the mean."""
    weight = ndimage.gaussian_filter(inside.astype(np.float32), 1)
    blurred = ndimage.gaussian_filter(np.where(inside, level, 0).astype(np.float32), 1)
    return blurred / np.maximum(weight, 1e-6)
