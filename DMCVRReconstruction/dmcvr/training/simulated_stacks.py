"""Labelled stacks as a scanner and an expert or a segmenter would make them of simulated hearts.

A heart is turned, tilted, zoomed, warped and cut off at its base as valve planes do; slices at any distance
are taken of it, each displaced by a breath-hold of its own; outlines wander; ends of the stack are missing.
All is in the frame of `anatomy.heart_frame`: x toward the RV, z from apex to base, mm. Every random number
comes from torch's global generator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..anatomy.heart_frame import PIXEL_MM, REACH_MM
from ..anatomy.signed_distances import CAVITY, WHOLE, labels_from_distances, nested_distances
from ..model.networks.shape_completer import APEX_WALL_MM, SLICE_MM
from .heart_distances import SHAPE, STEP_MM, UNIT_MM

TILT_DEG, TURN_DEG, OFF_CENTRE_MM = 6.0, 12.0, 3.0
ZOOM, STRETCH_SD = (0.85, 1.2), 0.06
WARP_CELLS = 5
"""Nodes of a smooth warp along each axis."""
CUT_SHARE, CUT_MM, RV_CUT_MM, CUT_TILT_DEG = 0.6, (-2.0, 14.0), (0.0, 32.0), 6.0
GAPS_MM = ((0.5, (7.0, 11.0)), (0.2, (4.5, 7.0)), (0.3, (11.0, 20.0)))
"""Shares of the stacks and the distances between their slices."""
SLICE_PIXEL_MM = (1.4, 2.2)
LARGEST_SHIFT_SD_MM, STILL_SHARE, OUTLIER_SHARE, OUTLIER = 3.0, 0.25, 0.08, 2.2
JUMP_SD_MM = 6.0
THROUGH_PLANE = 0.3
"""Breath-hold shifts: how large, how many stacks have none, which slices have larger ones; how far
a patient moves who does; and how large those through the plane are relative to those within it."""
WANDER_MM, OFFSET_MM = 1.0, 0.5
"""Outlines err by up to this, smoothly along them, and as a whole."""
SMALL_MM2 = (40.0, 0.0, 60.0)
"""LVC, LVM and RVC up to about so small are not drawn."""
MISTAKE_SHARE = 0.15
BEYOND_SHARE = 0.5
"""Stacks with an empty slice beyond the heart, at each end."""
CUT_SHORT_APEX, CUT_SHORT_BASE = 0.15, 0.2
FEWEST, MOST = 3, 24


@dataclass(frozen=True)
class StackStyle:
    """shift_sd_mm: of breath-hold shifts, None for what is usual, up to the largest. jump_share: of stacks in
    which the patient moved between two slices. warp_mm: largest standard deviation of a smooth warp.
    mistakes: whether structures are missed in some slices. size: pixels of PIXEL_MM along the square that is
    seen.
    """

    shift_sd_mm: float | None = None
    jump_share: float = 0.0
    largest_shift_sd_mm: float = LARGEST_SHIFT_SD_MM
    warp_mm: float = 4.0
    mistakes: bool = False
    size: int = 64


@dataclass(frozen=True)
class SimulatedStack:
    """maps: (S, 3, size, size) nested distances of the slices, mm, in plane, clipped to REACH_MM. positions:
    (S,) mm. shifts: (S, 2) mm by which the slices are displaced along x and y. heart: what they are cut from.
    gap: mm. closed: whether the stack has an empty slice beyond the apex and beyond the base.
    """

    maps: Tensor
    positions: Tensor
    shifts: Tensor
    heart: PosedHeart
    gap: float
    closed: tuple[bool, bool]

    def dense_positions(self, count: int) -> Tensor:
        """(count,) mm, SLICE_MM apart about the middle of the stack."""
        middle = (self.positions[0] + self.positions[-1]) / 2
        return middle + (torch.arange(count) - (count - 1) / 2) * SLICE_MM

    def truth(self, dense: Tensor, size: int) -> Tensor:
        """(3, Z, size, size) mm, the heart at the positions ``dense`` (Z,), as far as the stack tells: to
        half a gap beyond the end at the base, where a stack ends within the heart, and a gap beyond the apex,
        where muscle closes it.
        """
        found = self.heart.at(plane_points(dense, size, PIXEL_MM))
        shown = (self.maps[:, WHOLE:] > 0).flatten(1).any(1).nonzero()[:, 0]
        low = self.positions[shown[0]] - self.gap
        high = self.positions[shown[-1]] + self.gap * (1.0 if self.closed[1] else 0.5)
        above = (dense - low)[:, None, None]
        limit = torch.stack([above - APEX_WALL_MM, above, above])
        return torch.minimum(found, torch.minimum(limit, (high - dense)[:, None, None]))


class PosedHeart:
    """A heart of `HeartDistances` in a random pose, size and form.

    distances: (3, Z, Y, X) int8. warp_mm: as in `StackStyle`.
    """

    def __init__(self, distances: Tensor, warp_mm: float):
        self._distances = distances.float() * UNIT_MM
        self._zoom = between(*ZOOM)
        stretch = math.exp(float(torch.randn(())) * STRETCH_SD)
        self._turn = random_tilt() / torch.tensor([self._zoom, self._zoom, self._zoom * stretch])[:, None]
        if torch.rand(()) < 0.5:
            self._turn = torch.diag(torch.tensor([1.0, -1.0, 1.0])) @ self._turn
        self._offset = torch.randn(3) * torch.tensor([OFF_CENTRE_MM, OFF_CENTRE_MM, 0])
        self._warp = torch.randn(1, 3, *[WARP_CELLS] * 3) * between(0, warp_mm) * torch.rand(1, 3, 1, 1, 1)
        self._cuts = self._random_cuts()

    @property
    def extent(self) -> tuple[float, float]:
        """mm, about where the heart begins and ends along z."""
        shown = (self._distances > 0).any(0).flatten(1).any(1).nonzero()[:, 0]
        low, high = ((index - (SHAPE[0] - 1) / 2) * STEP_MM * self._zoom for index in shown[[0, -1]])
        return float(low) - 10, float(high) + 10

    def at(self, points: Tensor) -> Tensor:
        """(3, ...) mm of points (..., 3)."""
        half = torch.tensor([count * STEP_MM / 2 for count in SHAPE[::-1]])
        local = (points + self._offset) @ self._turn.T
        flat = local.reshape(1, 1, 1, -1, 3)
        warp = F.grid_sample(self._warp, flat / half, padding_mode="border", align_corners=True)
        flat = flat + warp.permute(0, 2, 3, 4, 1)
        found = F.grid_sample(self._distances[None], flat / half, padding_mode="border", align_corners=False)
        found = found.view(3, -1)
        for channels, normal, height in self._cuts:
            below = height - flat.view(-1, 3) @ normal
            found[channels] = torch.minimum(found[channels], below)
        return (found * self._zoom).view(3, *points.shape[:-1])

    def _random_cuts(self) -> list[tuple[list[int], Tensor, float]]:
        """Planes above which there is no LV, and no RV."""
        cuts = []
        for channels, limits in (([CAVITY, WHOLE], CUT_MM), ([2], RV_CUT_MM)):
            if torch.rand(()) < CUT_SHARE:
                shown = (self._distances[channels[0]] > 0).flatten(1).any(1).nonzero()[:, 0]
                top = (float(shown[-1]) - (SHAPE[0] - 1) / 2) * STEP_MM
                slope = torch.randn(2) * math.radians(CUT_TILT_DEG)
                normal = F.normalize(torch.cat([slope, torch.ones(1)]), dim=0)
                cuts.append((channels, normal, top - between(*limits)))
        return cuts


def simulated_stack(distances: Tensor, style: StackStyle) -> SimulatedStack:
    """A random stack of a heart (3, Z, Y, X) int8 of `HeartDistances`."""
    while True:
        stack = _tried_stack(PosedHeart(distances, style.warp_mm), style)
        if stack is not None:
            return stack


def _tried_stack(heart: PosedHeart, style: StackStyle) -> SimulatedStack | None:
    gap = random_gap()
    low, high = heart.extent
    positions = torch.arange(low - gap * float(torch.rand(())), high + gap, gap)
    shifts = random_shifts(len(positions), style)
    pixel = between(*SLICE_PIXEL_MM)
    size = math.ceil(style.size * PIXEL_MM / pixel) + 1
    points = plane_points(positions, size, pixel)
    through = torch.randn(len(positions), 1) * shifts.square().mean().sqrt() * THROUGH_PLANE
    points = points - torch.cat([shifts, through], 1)[:, None, None]
    labels = drawn_labels(heart.at(points).movedim(0, 1), pixel, style.mistakes)
    shown = np.flatnonzero(labels.any((1, 2)))
    if len(shown) < FEWEST:
        return None
    first, last = int(shown[0]), int(shown[-1]) + 1
    closed = [bool(torch.rand(()) < BEYOND_SHARE) for _ in range(2)]
    if torch.rand(()) < CUT_SHORT_APEX:
        first, closed[0] = first + 1, False
    if torch.rand(()) < CUT_SHORT_BASE:
        last, closed[1] = last - 1, False
    if not FEWEST <= last - first <= MOST:
        return None
    used = slice(max(first - closed[0], 0), last + closed[1])
    maps = torch.from_numpy(nested_distances(labels[used], (pixel, pixel), REACH_MM))
    seen = plane_points(torch.zeros(1), style.size, PIXEL_MM)[..., :2] / (size * pixel / 2)
    maps = F.grid_sample(maps, seen.expand(len(maps), -1, -1, -1), padding_mode="border", align_corners=False)
    return SimulatedStack(maps, positions[used], shifts[used], heart, gap, (closed[0], closed[1]))


def drawn_labels(values: Tensor, pixel: float, mistakes: bool) -> np.ndarray:
    """Labels (S, H, W) uint8 as someone may draw them where the truth is ``values`` (S, 3, H, W) mm."""
    count, _, height, width = values.shape
    wander = F.interpolate(torch.randn(count, 3, 7, 7), size=(height, width), mode="bicubic")
    offset = torch.randn(count, 3, 1, 1) * between(0, OFFSET_MM)
    labels = labels_from_distances((values + wander * between(0, WANDER_MM) + offset).numpy())
    for label, most in enumerate(SMALL_MM2, start=1):
        mask = labels == label
        small = mask.sum((1, 2)) * pixel**2 < between(0, most)
        labels[mask & small[:, None, None]] = 2 if label == 1 else 0
    if mistakes:
        _miss_structures(labels)
    return labels


def _miss_structures(labels: np.ndarray) -> None:
    """In some slices the RV, the LV or the LV's cavity is not found, in place."""
    for image in labels:
        if torch.rand(()) < MISTAKE_SHARE:
            missed, instead = (((3,), 0), ((1, 2), 0), ((1,), 2))[int(torch.randint(3, ()))]
            image[np.isin(image, missed)] = instead


def random_shifts(count: int, style: StackStyle) -> Tensor:
    """(count, 2) mm."""
    shifts = torch.randn(count, 2)
    if style.shift_sd_mm is not None:
        return shifts * style.shift_sd_mm
    if torch.rand(()) < STILL_SHARE:
        return shifts * 0
    shifts[torch.rand(count) < OUTLIER_SHARE] *= OUTLIER
    shifts = shifts * between(0, style.largest_shift_sd_mm)
    if torch.rand(()) < style.jump_share:
        shifts[int(torch.randint(1, count, ())) :] += torch.randn(2) * JUMP_SD_MM
    return shifts


def random_gap() -> float:
    """mm between slices, as GAPS_MM has it."""
    shares = torch.tensor([share for share, _ in GAPS_MM])
    return between(*GAPS_MM[int(torch.multinomial(shares, 1))][1])


def random_tilt() -> Tensor:
    """(3, 3) a small turn in space."""
    a, b, c = (float(torch.randn(())) * math.radians(degrees) for degrees in (TILT_DEG, TILT_DEG, TURN_DEG))
    about_x = torch.tensor([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    about_y = torch.tensor([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    about_z = torch.tensor([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def plane_points(positions: Tensor, size: int, pixel: float) -> Tensor:
    """(S, size, size, 3) mm, x y z of the pixels of square slices about the z axis."""
    along = (torch.arange(size) - (size - 1) / 2) * pixel
    x, y, z = torch.broadcast_tensors(along[None, None], along[None, :, None], positions[:, None, None])
    return torch.stack([x, y, z], -1).float()


def between(low: float, high: float) -> float:
    """A random number between two."""
    return low + (high - low) * float(torch.rand(()))
