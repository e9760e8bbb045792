"""The heart's shape between the slices of one frame and beyond them, closed at the apex, ending at the base.

Sparse slices say where the heart is in their planes; the network `ShapeCompleter` knows how hearts go on
between them and end. What it draws is then held to what is known for sure: nothing lies further beyond the
stack than about one gap, muscle closes the cavity's apex, each structure is one piece, and volumes agree with
disc summation, in which each slice stands for its thickness. The base ends half a gap beyond the last slice
where no empty slice follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ..anatomy.heart_frame import PIXEL_MM, REACH_MM, HeartFrame, heart_frame
from ..anatomy.pieces import largest_piece
from ..anatomy.signed_distances import BORDER_MM, CAVITY, WHOLE, nested_distances
from ..core.labels import BACKGROUND, LVC, LVM, RVC
from ..model.networks.shape_completer import APEX_WALL_MM, SLICE_MM, completer_input, straight_line
from ..model.sampling import sample_maps

Complete = Callable[[Tensor], Tensor]
"""A `ShapeCompleter`."""
RIGHT = 2
MULTIPLE = (4, 8)
"""The lattice's size along the stack and in plane is a multiple of these, as the network needs it."""
FEWEST_SLICES = 3
"""The network has seen no stacks of fewer."""
MARGIN_MM = 10.0
LEAST_WALL_MM = 2.5
"""Muscle about the cavity is at least so thick where it is closed for sure."""
CLOSED_SHARE = 0.6
"""Share of the cavity's length, from the apex, in which it may not be open to the outside."""
NEAR_MM = 6.0
"""How far from boundaries distances count where it is asked how well they fit the slices."""
EDGE_MM = 1.25
"""Half the width over which a boundary is soft where volumes are measured."""
LARGEST_LEVEL_MM = 1.5
"""Boundaries are moved by no more than this to make volumes agree."""
DETAIL_MM = 1.0
"""Slices tell no more than this beside what the lattice holds of them."""
APART_MM = 4.0
"""What is not part of a structure's largest piece lies at least so far outside."""


@dataclass(frozen=True)
class WholeShape:
    """One frame's heart, in register: its shape anywhere along the stack.

    distances: (3, Z, h, w) mm on the lattice of ``frame`` at ``heights`` (Z,) mm along its z; nested, as of
        `signed_distances`, clipped to REACH_MM. line: the same of the straight line between the slices.
    maps: (S, 3, H, W) mm, the slices' own nested distances in their plane, apex to base, in register.
    slice_heights: (S,) mm. spacing: (x, y) mm of the slices. ends: mm along the frame's z,
    beyond which nothing is drawn. closed: the same, up to which muscle is all about the cavity.
    """

    frame: HeartFrame
    distances: Tensor
    line: Tensor
    heights: Tensor
    maps: Tensor
    slice_heights: Tensor
    spacing: tuple[float, float]
    ends: tuple[float, float]
    closed: float

    @property
    def extent(self) -> tuple[float, float]:
        """mm along the stack, where the heart begins and ends."""
        peak = self.distances.amax((0, 2, 3)).numpy()
        inside = np.flatnonzero(peak > 0)
        if not len(inside):
            first, last = float(self.slice_heights[0]), float(self.slice_heights[-1])
        else:
            first = float(self.heights[inside[0]]) - _last_part(peak[: inside[0] + 1])
            last = float(self.heights[inside[-1]]) + _last_part(peak[inside[-1] :][::-1])
            first, last = max(first, self.ends[0]), min(last, self.ends[1])
        ends = sorted(float(end) for end in self.frame.heights(np.array([first, last])))
        return ends[0], ends[1]

    @torch.inference_mode()
    def at(self, wanted: np.ndarray) -> np.ndarray:
        """Nested distances (Z, 3, H, W) in mm at the positions ``wanted`` (Z,) mm along the stack, clipped to
        REACH_MM, in the plane of the slices.
        """
        places = torch.from_numpy(self.frame.heights(wanted).astype(np.float32).copy())
        height, width = self.maps.shape[-2:]
        rows, columns, points = self._window(height, width)
        line = straight_line(self.maps[:, :, rows, columns], self.slice_heights, places)
        at = (places - self.heights[0]) / SLICE_MM
        both = torch.cat([self.distances, self.line]).movedim(1, 0)
        below = at.floor().long().clamp(0, len(both) - 2)
        share = (at - below).clamp(0, 1)[:, None, None, None]
        shape = np.array(both.shape[-1:-3:-1])
        local = self.frame.inverse(points) + (shape - 1) / 2 * PIXEL_MM
        both = torch.lerp(both[below], both[below + 1], share)
        both = sample_maps(both, local, (PIXEL_MM, PIXEL_MM), "bicubic")
        found, coarse = both[:, :3], both[:, 3:]
        # What is finer than the lattice comes from the slices themselves.
        found = found + (line - coarse).clamp(-DETAIL_MM, DETAIL_MM)
        apical = places <= self.closed
        wall = found[apical, CAVITY] + LEAST_WALL_MM
        found[apical, WHOLE] = torch.maximum(found[apical, WHOLE], wall)
        ends = torch.minimum(places - self.ends[0], self.ends[1] - places)
        # Of pixels at 0 every other one counts as inside.
        found = torch.minimum(found, ends[:, None, None, None] - 2 * BORDER_MM)
        within = ((local >= 0) & (local <= (shape - 1) * PIXEL_MM)).all(-1)
        covered = (at >= 0) & (at <= len(self.heights) - 1)
        seen = torch.from_numpy(within) & covered[:, None, None]
        out = torch.full((len(places), 3, height, width), -REACH_MM)
        out[:, :, rows, columns] = torch.where(seen[:, None], found.clamp(-REACH_MM, REACH_MM), -REACH_MM)
        return out.numpy()

    def _window(self, height: int, width: int) -> tuple[slice, slice, np.ndarray]:
        """Rows and columns of the slices about the lattice, and their pixels' places (h, w, 2) mm."""
        corners = self.frame.lattice((self.distances.shape[-2], self.distances.shape[-1]))[
            [0, 0, -1, -1], [0, -1, 0, -1]
        ]
        low = np.floor(corners.min(0) / self.spacing).astype(int)
        high = np.ceil(corners.max(0) / self.spacing).astype(int) + 1
        columns, rows = (
            slice(max(low[axis], 0), min(high[axis], count)) for axis, count in ((0, width), (1, height))
        )
        grid = np.meshgrid(np.arange(columns.start, columns.stop), np.arange(rows.start, rows.stop))
        return rows, columns, np.stack(grid, -1) * np.asarray(self.spacing)


@torch.inference_mode()
def whole_shape(
    complete: Complete,
    labels: np.ndarray,
    positions: np.ndarray,
    spacing: tuple[float, float],
    shifts: np.ndarray | None = None,
    reach: float = 1.0,
) -> WholeShape | None:
    """The whole shape of one frame's labels (S, H, W); None where fewer than FEWEST_SLICES show it.

    positions: (S,) mm along the stack, increasing. spacing: (x, y) mm. shifts: (S, 2) mm along x and y by
    which the slices are displaced, and are put back first. reach: how many gaps beyond the last slice an
    apex may lie that the stack does not reach, at least 1/2.
    """
    labels, positions = np.asarray(labels), np.asarray(positions, float)
    shown = np.flatnonzero((labels != BACKGROUND).any((1, 2)))
    frame = heart_frame(labels, positions, spacing)
    if frame is None or len(shown) < FEWEST_SLICES:
        return None
    # An empty slice beyond either end says that the heart does not reach it.
    used = slice(max(shown[0] - 1, 0), shown[-1] + 2)
    maps = torch.from_numpy(nested_distances(labels[used], spacing, REACH_MM))
    if shifts is not None:
        maps = _in_register(maps, np.asarray(shifts)[used], spacing)
    draft = _draft(complete, frame, maps, positions[used], spacing)
    if not frame.is_certain:
        # What knows hearts keeps the outlines of one that is the right way up.
        other = _draft(complete, frame.reversed(), maps, positions[used], spacing)
        draft = min(draft, other, key=_Draft.misfit)
    stack = _Extent.of(draft.frame.order(labels[used]), draft.slice_heights.numpy(), reach)
    found, heights = draft.found, draft.heights.numpy()
    top = _hold(found, heights, stack)
    _level(found, heights, stack.volumes(draft.frame.order(labels[used]), spacing), stack)
    # Boundaries that were moved are held to the same again.
    top = _hold(found, heights, stack)
    return WholeShape(
        draft.frame,
        torch.from_numpy(found).clamp(-REACH_MM, REACH_MM),
        draft.line,
        draft.heights,
        draft.maps,
        draft.slice_heights,
        spacing,
        (stack.low, stack.high),
        top,
    )


@dataclass(frozen=True)
class _Draft:
    """What the network makes of a stack in one frame: ``found`` (3, Z, h, w) mm; the rest as in `WholeShape`.
    coarse: (S, 3, h, w) mm, the slices' distances on the lattice.
    """

    frame: HeartFrame
    maps: Tensor
    coarse: Tensor
    slice_heights: Tensor
    line: Tensor
    heights: Tensor
    found: np.ndarray

    def misfit(self) -> float:
        """mm by which distances near the slices' boundaries differ from the slices' own."""
        found = torch.from_numpy(self.found).movedim(1, 0)
        at = (self.slice_heights - self.heights[0]) / SLICE_MM
        below = at.floor().long().clamp(0, len(found) - 2)
        found = torch.lerp(found[below], found[below + 1], (at - below)[:, None, None, None])
        near = self.coarse.abs() < NEAR_MM
        differences = (found.clamp(-NEAR_MM, NEAR_MM) - self.coarse.clamp(-NEAR_MM, NEAR_MM)).abs()
        return float(differences[near].mean())


def _draft(
    complete: Complete, frame: HeartFrame, maps: Tensor, positions: np.ndarray, spacing: tuple[float, float]
) -> _Draft:
    """maps: (S, 3, H, W) mm of the slices at ``positions`` (S,) mm, in the stack's order."""
    maps = torch.from_numpy(np.ascontiguousarray(frame.order(maps.numpy())))
    slices = torch.from_numpy(frame.order(frame.heights(positions)).astype(np.float32).copy())
    dense = _dense_heights(slices)
    shape = [_rounded_up((length + 2 * MARGIN_MM) / PIXEL_MM, MULTIPLE[1]) for length in frame.extent[::-1]]
    coarse = sample_maps(maps, frame.lattice((shape[0], shape[1])), spacing)
    line = straight_line(coarse, slices, dense).movedim(1, 0)
    found = _completed(complete, completer_input(coarse, slices, dense)).numpy()
    return _Draft(frame, maps, coarse, slices, line, dense, found)


def _last_part(peak: np.ndarray) -> float:
    """mm from the last place to where distances (N,), of which the last alone is above 0, fall to 0."""
    before = peak[-2] if len(peak) > 1 else -peak[-1]
    return float(SLICE_MM * peak[-1] / (peak[-1] - before))


def _completed(complete: Complete, given: Tensor) -> Tensor:
    """(3, Z, h, w) mm, the mean of what the network makes of the heart and of its mirror image."""
    return (complete(given[None])[0] + complete(given.flip(-2)[None])[0].flip(-2)) / 2


@dataclass(frozen=True)
class _Extent:
    """How far a stack tells of the heart, mm along the frame's z.

    low, high: beyond these nothing is drawn. measured: from where to where a disc summation counts.
    thickness: (S,) mm that each slice stands for.
    """

    low: float
    high: float
    measured: tuple[float, float]
    thickness: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, heights: np.ndarray, reach: float) -> _Extent:
        """labels: (S, H, W), apex to base, at most one empty slice at either end; heights: (S,) mm."""
        gaps = np.diff(heights)
        ends = np.concatenate([[gaps[0]], gaps, [gaps[-1]]])
        thickness = (ends[:-1] + ends[1:]) / 2
        empty_below, empty_above = (not image.any() for image in labels[[0, -1]])
        low = heights[0] - (0 if empty_below else reach * gaps[0])
        high = heights[-1] + (0 if empty_above else gaps[-1] / 2)
        measured = (heights[0] if empty_below else heights[0] - gaps[0] / 2, high)
        return cls(float(low), float(high), (float(measured[0]), float(measured[1])), thickness)

    def volumes(self, labels: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
        """(3,) mm3 by disc summation: LVC, LVC + LVM, RVC."""
        areas = np.stack([(labels == label).sum((1, 2)) for label in (LVC, LVM, RVC)]) * np.prod(spacing)
        lvc, lvm, rvc = areas @ self.thickness
        return np.array([lvc, lvc + lvm, rvc])


def _hold(found: np.ndarray, heights: np.ndarray, stack: _Extent) -> float:
    """What holds of every heart, in place: its ends, a closed apex, one piece. Returns the height (mm) up to
    which the cavity is closed.
    """
    _bound(found, heights, stack)
    top = _closed_up_to(found, heights)
    part = heights <= top
    found[WHOLE, part] = np.maximum(found[WHOLE, part], found[CAVITY, part] + LEAST_WALL_MM)
    # Where the cavity ends abruptly along the stack, its distances in the next plane say nothing of that.
    inside = found[CAVITY] > -DETAIL_MM / 2
    if inside.any():
        away = ndimage.distance_transform_edt(~inside, (SLICE_MM, PIXEL_MM, PIXEL_MM))
        wall = (LEAST_WALL_MM + SLICE_MM / 2 - away).astype(found.dtype)
        found[WHOLE, part] = np.maximum(found[WHOLE, part], wall[part])
    # Elsewhere the cavity counts only within the LV.
    np.minimum(found[CAVITY], found[WHOLE], out=found[CAVITY])
    _unite(found)
    return top


def _bound(found: np.ndarray, heights: np.ndarray, stack: _Extent) -> None:
    """Nothing beyond the ends, and muscle between them and the cavity's apex; in place."""
    above, below = (heights - stack.low)[:, None, None], (stack.high - heights)[:, None, None]
    np.minimum(found, np.minimum(above, below), out=found)
    np.minimum(found[CAVITY], above - APEX_WALL_MM, out=found[CAVITY])


def _closed_up_to(found: np.ndarray, heights: np.ndarray) -> float:
    """The height (mm) below which muscle is all about the cavity: CLOSED_SHARE of the cavity's length."""
    shown = np.flatnonzero((np.minimum(found[CAVITY], found[WHOLE]) > 0).any((1, 2)))
    if not len(shown):
        return -np.inf
    apex, base = heights[shown[0]], heights[shown[-1]]
    return float(apex + CLOSED_SHARE * (base - apex))


def _unite(found: np.ndarray) -> None:
    """Every structure one piece without holes in it, in place."""
    for channel in (WHOLE, CAVITY, RIGHT):
        field = found[channel]
        inside = field > 0
        if channel == RIGHT:
            inside &= found[WHOLE] <= 0
        piece = largest_piece(inside)
        if (apart := inside & ~piece).any():
            about = ndimage.binary_dilation(apart, iterations=2) & ~ndimage.binary_dilation(piece)
            field[about | apart] = np.minimum(field[about | apart], -APART_MM)
        inside = piece
        holes = ndimage.binary_fill_holes(inside) & ~inside
        if channel != RIGHT:
            field[holes] = np.maximum(field[holes], DETAIL_MM)


def _level(found: np.ndarray, heights: np.ndarray, volumes: np.ndarray, stack: _Extent) -> None:
    """Move each boundary by a little, the same everywhere, so that volumes are those of disc summation;
    in place. volumes: (3,) mm3.
    """
    counts = (heights > stack.measured[0]) & (heights < stack.measured[1])
    part = found[:, counts]
    voxel = PIXEL_MM**2 * SLICE_MM

    def offset(field: np.ndarray, volume: float, room: np.ndarray | float = 1.0) -> float:
        low, high = -LARGEST_LEVEL_MM, LARGEST_LEVEL_MM
        for _ in range(12):
            middle = (low + high) / 2
            if (_soft(field + middle) * room).sum() * voxel > volume:
                high = middle
            else:
                low = middle
        return (low + high) / 2

    shown = volumes > 0
    if shown[WHOLE]:
        found[WHOLE] += offset(part[WHOLE], volumes[WHOLE])
    if shown[CAVITY]:
        found[CAVITY] += offset(part[CAVITY], volumes[CAVITY])
        np.minimum(found[CAVITY], found[WHOLE], out=found[CAVITY])
    if shown[RIGHT]:
        found[RIGHT] += offset(part[RIGHT], volumes[RIGHT], 1 - _soft(found[WHOLE][counts]))


def _soft(field: np.ndarray) -> np.ndarray:
    """The share of a voxel that is inside, of distances in mm."""
    return np.clip(field / (2 * EDGE_MM) + 0.5, 0, 1)


def _in_register(maps: Tensor, shifts: np.ndarray, spacing: tuple[float, float]) -> Tensor:
    """Maps (S, 3, H, W) without the displacements ``shifts`` (S, 2) mm of their slices."""
    height, width = maps.shape[-2:]
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1) * np.asarray(spacing)
    return sample_maps(maps, pixels + shifts[:, None, None], spacing)


def _dense_heights(slices: Tensor) -> Tensor:
    """(Z,) mm, SLICE_MM apart about the middle of the stack, from a gap before it to a gap beyond."""
    reach = slices[-1] - slices[0] + (slices[1] - slices[0]) + (slices[-1] - slices[-2])
    count = _rounded_up(float(reach) / SLICE_MM + 1, MULTIPLE[0])
    return (slices[0] + slices[-1]) / 2 + (torch.arange(count) - (count - 1) / 2) * SLICE_MM


def _rounded_up(value: float, multiple: int) -> int:
    return int(np.ceil(value / multiple)) * multiple
