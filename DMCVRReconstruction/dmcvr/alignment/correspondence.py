"""Symmetric demons between neighbouring slices: both are warped to the wanted position and blended.

Demons with symmetric forces (Vercauteren et al. 2007, as in ITK), coarse to fine. A field is estimated in
both directions and the two are combined at the half-way point, so that nothing depends on which slice comes
first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from ..core.positions import bracket
from ..system.threads import in_threads

WORKING_MM = 1.5
LEVELS = ((4, 30), (2, 20), (1, 10))  # (reduction, iterations); more of them follow noise, not anatomy
SMOOTHING_PIXELS = 2.0
SMALLEST_SIDE = 8  # pixels; coarser levels of a small image are left out


def align(first: np.ndarray, second: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Displacement d (2, H, W) in pixels, (row, column), from the first slice to the second.

    It belongs to the half-way points m: first(m - d/2) = second(m + d/2). Estimated at `WORKING_MM` or the
    native resolution, whichever is coarser. Swapping the slices negates the field.

    first, second: (H, W), in any one unit of intensity. spacing: (x, y) mm.
    """
    native = np.array(first.shape)
    reduced = np.array([spacing[1], spacing[0]]) / WORKING_MM
    shape = np.maximum(np.ceil(native * np.minimum(reduced, 1)).astype(int), 2)
    high = np.percentile([first, second], 99.5)
    low = min(first.min(), second.min())
    scale = max(float(high - low), np.finfo(np.float32).tiny)
    working = [
        np.clip((_reduce(image.astype(np.float32), shape) - low) / scale, 0, 1) for image in (first, second)
    ]
    forward, backward = _demons(*working), _demons(*working[::-1])
    halfway = (_at_fraction(forward, 0.5) - _at_fraction(backward, 0.5)) / 2
    return _resize_field(halfway, tuple(native))


def warp(image: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """``image`` (..., H, W) sampled at each pixel plus its displacement (2, H, W) px; edges are repeated."""
    coordinates = np.indices(displacement.shape[1:]) + displacement
    planes = image.reshape(-1, *image.shape[-2:])
    warped = [ndimage.map_coordinates(plane, coordinates, order=1, mode="nearest") for plane in planes]
    return np.stack(warped).reshape(image.shape)


def warp_pair(
    first: np.ndarray, second: np.ndarray, displacement: np.ndarray, t: float
) -> tuple[np.ndarray, np.ndarray]:
    """Two neighbours (..., H, W), both warped to the fraction ``t`` of the way between, by `align`'s field.

    What is at m half-way is at y = m + (t - 1/2) d(m) here; it was at m - d/2 = y - t d(m) in the first slice
    and is at y + (1 - t) d(m) in the second.
    """
    to_first, to_second = displacements(displacement, t)
    return warp(first, to_first), warp(second, to_second)


def displacements(displacement: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each pixel at the fraction ``t`` of the way between two neighbours, (2, H, W) pixels to where it was
    in the first and to where it is in the second; see `warp_pair`.
    """
    field = _at_fraction(displacement, t - 0.5)
    return -t * field, (1 - t) * field


class Correspondences:
    """How the slices of a frame correspond: a field a gap, estimated ahead or when it is first asked for.

    frame: (S, H, W). spacing: (x, y) mm.
    """

    def __init__(self, frame: np.ndarray, spacing: tuple[float, float]):
        self._frame, self._spacing = frame, spacing
        self._fields: dict[int, np.ndarray] = {}

    def estimate(self, gaps: Iterable[int], done: Callable[[], None] = lambda: None) -> None:
        """The fields of ``gaps``, each named by the slice below it, those not known yet side by side.

        done: called after each of these.
        """
        gaps = [gap for gap in gaps if gap not in self._fields]
        for gap, field in zip(gaps, in_threads(self._align, gaps), strict=True):
            self._fields[gap] = field
            done()

    def field(self, below: int) -> np.ndarray:
        """`align`'s field (2, H, W) from slice ``below`` to the next."""
        self.estimate([below])
        return self._fields[below]

    def _align(self, below: int) -> np.ndarray:
        return align(self._frame[below], self._frame[below + 1], self._spacing)

    def blend(self, images: np.ndarray, positions: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Images (Z, ..., H, W) float32 at ``wanted`` (Z,) mm, both neighbours warped there and blended.

        images: (S, ..., H, W), at ``positions`` (S,) mm.
        """
        self.estimate(gaps_of(positions, wanted))

        def blended(place: tuple[int, int, float]) -> np.ndarray:
            a, b, t = place
            if a == b:
                return images[a]
            first, second = warp_pair(images[a], images[b], self._fields[a], t)
            return (1 - t) * first + t * second

        out = np.empty((len(wanted), *images.shape[1:]), np.float32)
        for z, image in enumerate(in_threads(blended, zip(*bracket(positions, wanted), strict=True))):
            out[z] = image
        return out


def gaps_of(positions: np.ndarray, wanted: np.ndarray) -> list[int]:
    """The gaps between slices at ``positions`` (S,) mm that hold any of ``wanted`` (Z,) mm, ascending."""
    below, above, _ = bracket(positions, wanted)
    return np.unique(below[below != above]).tolist()


def _at_fraction(field: np.ndarray, t: float) -> np.ndarray:
    """The field where points have moved the fraction ``t`` along it: e(y) = field(x) with y = x + t field(x).

    Fixed-point iteration of e(y) = field(y - t e(y)), which converges where the field does not fold.
    """
    moved = field
    for _ in range(4 if t else 0):
        moved = warp(field, -t * moved)
    return moved


def _demons(fixed: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """Field (2, h, w) in pixels, (row, column), with fixed(x) = moving(x + field(x)); images in [0, 1]."""
    field = np.zeros((2, 2, 2))
    for reduction, iterations in LEVELS:
        shape = np.ceil(np.array(fixed.shape) / reduction).astype(int)
        if reduction > 1 and shape.min() < SMALLEST_SIDE:
            continue
        images = [sitk.GetImageFromArray(_reduce(image, shape)) for image in (fixed, moving)]
        demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
        demons.SetNumberOfIterations(iterations)
        demons.SetStandardDeviations(SMOOTHING_PIXELS)
        # Slices are too small to be shared out among threads; the gaps are.
        demons.SetNumberOfThreads(1)
        start = np.moveaxis(_resize_field(field, tuple(shape))[::-1], 0, -1)
        result = demons.Execute(*images, sitk.GetImageFromArray(np.ascontiguousarray(start), isVector=True))
        field = np.moveaxis(sitk.GetArrayFromImage(result), -1, 0)[::-1]
    return _resize_field(field, fixed.shape)


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
