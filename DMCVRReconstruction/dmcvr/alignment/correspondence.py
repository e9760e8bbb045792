"""Symmetric demons between neighbouring slices: both are warped to the wanted position and blended.

Demons with symmetric forces (Vercauteren et al. 2007, as in ITK), coarse to fine. A field is estimated in
both directions and the two are combined at the half-way point, so that nothing depends on which slice comes
first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch
import torch.nn.functional as F
from scipy import ndimage

from ..core.positions import bracket
from ..system.threads import in_threads

WORKING_MM = 1.5
LEVELS = ((4, 30), (2, 20), (1, 10))  # (reduction, iterations); more of them follow noise, not anatomy
LEVELS_FROM_NEAR = ((2, 6), (1, 4))
SMOOTHING_PIXELS = 2.0
FIXED_POINTS = 4
"""Iterations that find where points of a field have moved to."""
HALF = np.full((1, 1, 1, 1), 0.5, np.float32)
CHUNK = 8
"""Slices that are warped at a time, so that these do not fill the memory."""
SMALLEST_SIDE = 8  # pixels; coarser levels of a small image are left out


@dataclass(frozen=True)
class GapField:
    """How two neighbouring slices correspond.

    field: (2, H, W) px, see `align`. forward, backward: (2, h, w) px of the lattice they were estimated on,
    from the first slice to the second and back.
    """

    field: np.ndarray
    forward: np.ndarray
    backward: np.ndarray


Focus = tuple[slice, slice]
"""Rows and columns of a slice where correspondence matters most."""


def align(
    first: np.ndarray,
    second: np.ndarray,
    spacing: tuple[float, float],
    near: GapField | None = None,
    focus: Focus | None = None,
) -> GapField:
    """Displacement d (2, H, W) in pixels, (row, column), from the first slice to the second.

    It belongs to the half-way points m: first(m - d/2) = second(m + d/2). Estimated at `WORKING_MM` or the
    native resolution, whichever is coarser. Swapping the slices negates the field.

    first, second: (H, W), in any one unit of intensity. spacing: (x, y) mm. near: of slices that correspond
    much as these do, such as the same ones a frame earlier: the estimate starts from there. focus: pixels
    beyond which half the resolution is good enough; all of them matter if it is None.
    """
    native = np.array(first.shape)
    reduced = np.array([spacing[1], spacing[0]]) / WORKING_MM
    shape = np.maximum(np.ceil(native * np.minimum(reduced, 1)).astype(int), 2)
    high = np.percentile([first, second], 99.5)
    low = min(first.min(), second.min())
    scale = max(float(high - low), np.finfo(np.float32).tiny)
    one, other = (
        np.clip((_reduce(image.astype(np.float32), shape) - low) / scale, 0, 1) for image in (first, second)
    )
    fine = None if focus is None else _scaled(focus, shape / native)
    forward = _demons(one, other, None if near is None else near.forward, fine)
    backward = _demons(other, one, None if near is None else near.backward, fine)
    # One after the other, since whoever aligns has other gaps for the other processors.
    to, back = (_at_fraction(field[None], HALF)[0] for field in (forward, backward))
    return GapField(_resize_field((to - back) / 2, tuple(native)), forward, backward)


def warp(images: np.ndarray, displacements: np.ndarray) -> np.ndarray:
    """Each of ``images`` (N, C, H, W) sampled at every pixel plus its displacement (N, 2, H, W) px, linearly;
    edges are repeated.
    """
    height, width = images.shape[-2:]
    # grid_sample wants (x, y), the outermost pixels' centres at -1 and 1.
    places = np.empty((len(images), height, width, 2), np.float32)
    for axis, count in ((0, width), (1, height)):
        line = np.linspace(-1, 1, count, dtype=np.float32)
        places[..., axis] = displacements[:, 1 - axis] * np.float32(2 / max(count - 1, 1))
        places[..., axis] += line if axis == 0 else line[:, None]
    given = torch.from_numpy(np.ascontiguousarray(images, np.float32))
    # Several times faster than scipy's, which takes splines of any order.
    warped: np.ndarray = F.grid_sample(
        given, torch.from_numpy(places), padding_mode="border", align_corners=True
    ).numpy()
    return warped


def warp_pair(
    first: np.ndarray, second: np.ndarray, displacement: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours (N, C, H, W), both warped to the fraction ``t`` (N,) of the way between, by `align`'s fields
    (N, 2, H, W).

    What is at m half-way is at y = m + (t - 1/2) d(m) here; it was at m - d/2 = y - t d(m) in the first slice
    and is at y + (1 - t) d(m) in the second.
    """
    to_first, to_second = displacements(displacement, t)
    return warp(first, to_first), warp(second, to_second)


def displacements(displacement: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each pixel at the fraction ``t`` (N,) of the way between neighbours, (N, 2, H, W) pixels to where it
    was in the first and to where it is in the second; see `warp_pair`.
    """
    share = np.asarray(t, np.float32)[:, None, None, None]
    field = _at_fraction(displacement, share - 0.5)
    return -share * field, (1 - share) * field


class Correspondences:
    """How the slices of a frame correspond: a field a gap, estimated ahead or when it is first asked for.

    frame: (S, H, W). spacing: (x, y) mm. focus: see `align`. found: the fields known so far, by the slice
    below the gap.
    """

    def __init__(self, frame: np.ndarray, spacing: tuple[float, float], focus: Focus | None = None):
        self._frame, self._spacing, self._focus = frame, spacing, focus
        self.found: dict[int, GapField] = {}

    def estimate(
        self,
        gaps: Iterable[int],
        done: Callable[[], None] = lambda: None,
        near: Mapping[int, GapField] | None = None,
    ) -> None:
        """The fields of ``gaps``, each named by the slice below it, those not known yet side by side.

        done: called after each of these. near: what was found in a frame like this one.
        """
        gaps = [gap for gap in gaps if gap not in self.found]
        starts = near or {}

        def one(gap: int) -> GapField:
            pair = self._frame[gap], self._frame[gap + 1]
            return align(*pair, self._spacing, starts.get(gap), self._focus)

        for gap, field in zip(gaps, in_threads(one, gaps), strict=True):
            self.found[gap] = field
            done()

    def field(self, below: int) -> np.ndarray:
        """`align`'s field (2, H, W) from slice ``below`` to the next."""
        self.estimate([below])
        return self.found[below].field

    def blend(self, images: np.ndarray, positions: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Images (Z, ..., H, W) float32 at ``wanted`` (Z,) mm, both neighbours warped there and blended.

        images: (S, ..., H, W), at ``positions`` (S,) mm.
        """
        self.estimate(gaps_of(positions, wanted))

        below, above, fraction = bracket(positions, wanted)
        out = images[below].astype(np.float32)
        between = np.flatnonzero(below != above)
        for start in range(0, len(between), CHUNK):
            part = between[start : start + CHUNK]
            fields = np.stack([self.found[gap].field for gap in below[part]])
            pair = _channels(images[below[part]]), _channels(images[above[part]])
            first, second = warp_pair(*pair, fields, fraction[part])
            share = fraction[part].astype(np.float32)[:, None, None, None]
            out[part] = ((1 - share) * first + share * second).reshape(out[part].shape)
        return out


def _channels(images: np.ndarray) -> np.ndarray:
    """Images (N, ..., H, W) as (N, C, H, W)."""
    return images.reshape(len(images), -1, *images.shape[-2:])


def gaps_of(positions: np.ndarray, wanted: np.ndarray) -> list[int]:
    """The gaps between slices at ``positions`` (S,) mm that hold any of ``wanted`` (Z,) mm, ascending."""
    below, above, _ = bracket(positions, wanted)
    return np.unique(below[below != above]).tolist()


def _at_fraction(fields: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Fields (N, 2, H, W) where points have moved the fraction ``t`` (N, 1, 1, 1) along them: e(y) = field(x)
    with y = x + t field(x).

    Fixed-point iteration of e(y) = field(y - t e(y)), which converges where the field does not fold.
    """
    moved = fields
    for _ in range(FIXED_POINTS):
        moved = warp(fields, -t * moved)
    return moved


def _scaled(focus: Focus, ratio: np.ndarray) -> Focus:
    """Rows and columns on a lattice of ``ratio`` (2,) times as many."""
    rows, columns = (
        slice(max(int(part.start * share), 0), int(np.ceil(part.stop * share)))
        for part, share in zip(focus, ratio, strict=True)
    )
    return rows, columns


def _demons(
    fixed: np.ndarray, moving: np.ndarray, near: np.ndarray | None, focus: Focus | None
) -> np.ndarray:
    """Field (2, h, w) in pixels, (row, column), with fixed(x) = moving(x + field(x)); images in [0, 1].

    near: a field to start from, None for none. focus: outside it the finest level is left out.
    """
    field, levels = (np.zeros((2, 2, 2)), LEVELS) if near is None else (near, LEVELS_FROM_NEAR)
    for reduction, iterations in levels:
        shape = np.ceil(np.array(fixed.shape) / reduction).astype(int)
        if reduction > 1 and shape.min() < SMALLEST_SIDE:
            continue
        field = _resize_field(field, tuple(shape))
        part = focus if focus is not None and reduction == 1 else (slice(None), slice(None))
        images = [sitk.GetImageFromArray(_reduce(image, shape)[part]) for image in (fixed, moving)]
        demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
        demons.SetNumberOfIterations(iterations)
        demons.SetStandardDeviations(SMOOTHING_PIXELS)
        # Slices are too small to be shared out among threads; the gaps are.
        demons.SetNumberOfThreads(1)
        start = np.ascontiguousarray(np.moveaxis(field[(slice(None, None, -1), *part)], 0, -1), float)
        result = demons.Execute(*images, sitk.GetImageFromArray(start, isVector=True))
        field = field.astype(float)
        field[(slice(None), *part)] = np.moveaxis(sitk.GetArrayFromImage(result), -1, 0)[::-1]
    return _resize_field(field, fixed.shape).astype(np.float32)


def _reduce(image: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """``image`` (H, W) smoothed and on a coarser lattice of the given shape with the same corner centres."""
    ratio = np.array(image.shape) / shape
    smooth = ndimage.gaussian_filter(image, 0.5 * np.where(ratio > 1.2, ratio, 1.0))
    return ndimage.zoom(smooth, np.array(shape) / image.shape, order=1)


def _resize_field(field: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A field (2, h, w) on another lattice with the same corner centres, and in that lattice's pixels."""
    if field.shape[1:] == tuple(shape):
        return field
    zoom = np.array(shape) / field.shape[1:]
    scale = (np.array(shape) - 1) / (np.array(field.shape[1:]) - 1)
    return np.stack([ndimage.zoom(component, zoom, order=1) for component in field]) * scale[:, None, None]
