"""Finding the heart in a stack and labelling its slices.

The segmenter looks twice: at the whole field of view in coarse pixels, to find the heart, and at the heart's
window at the model's own spacing, to outline it. Then the slices agree among themselves which ventricle is
which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from ..core.errors import InputError
from ..core.geometry import Plane, sample_plane
from ..core.intensity import field_scale, stack_scale
from ..core.labels import LVC, LVM, RVC
from ..model.inference import Model
from .output_grid import window_plane

WIDE_STEP = 2.0
"""The field of view is searched in pixels this many times the model's."""
SMALLEST_LV_ML = 3.0
"""A left ventricle with less cavity or less myocardium than this is none."""
VIEWS = 8
"""Turns and mirror images of the window that are labelled and averaged."""
DOUBT, SLANT, PASSES = 0.1, 0.6, 3
"""How slices agree: see `agree`."""
CONNECTED = np.ones((3, 3, 3), bool)


@dataclass(frozen=True)
class Window:
    """What the model sees of a stack: a square about the heart, the same in every slice.

    planes: the window's plane in each of the S slices. scale: the intensity that is 1 to the model.
    """

    planes: tuple[Plane, ...]
    scale: float

    @property
    def spacing(self) -> float:
        """mm a pixel."""
        return self.planes[0].spacing[0]

    def images(self, frame: np.ndarray, native: list[Plane], order: int = 1) -> np.ndarray:
        """(S, size, size) float32 in [0, 1] of a frame (S, H, W) on the planes ``native``, by splines of
        ``order``.
        """
        views = [
            sample_plane(image, source, target, order)
            for image, source, target in zip(frame, native, self.planes, strict=True)
        ]
        return np.clip(np.stack(views) / self.scale, 0, 1).astype(np.float32)


def model_spacing(model: Model, native: list[Plane]) -> float:
    """mm a pixel of the model's grid: the preset's, or the stack's own where the preset leaves it open."""
    return model.preset.spacing_mm or native[0].spacing[0]


def find_heart(model: Model, frame: np.ndarray, native: list[Plane]) -> Window:
    """The window about the heart in a frame (S, H, W) on the planes ``native``.

    Raises InputError if no heart is in view.
    """
    spacing = model_spacing(model, native) * WIDE_STEP
    wide = [window_plane(plane, plane.centre, model.size, spacing) for plane in native]
    views = np.stack([sample_plane(*item) for item in zip(frame, native, wide, strict=True)])
    images = np.clip(views / field_scale(views), 0, 1)
    labels = model.segment(images)[0].argmax(1).cpu().numpy()
    heart = heart_part(labels)
    gap = np.linalg.norm(native[-1].origin - native[0].origin) / (len(native) - 1)
    pixels = min((labels[heart] == label).sum() for label in (LVC, LVM))
    if np.ptp(views) == 0 or pixels * spacing**2 * gap / 1000 < SMALLEST_LV_ML:
        raise InputError(
            "No heart was found in the image: it must be a short-axis stack through the ventricles."
        )
    return window_about(model, frame, native, wide, heart)


def window_about(
    model: Model, frame: np.ndarray, native: list[Plane], planes: list[Plane], heart: np.ndarray
) -> Window:
    """The window about the middle of a heart, for a frame on the planes ``native``.

    heart: (S, H, W) bool, on ``planes``.
    """
    row, column = np.argwhere(heart)[:, 1:].mean(0)
    shift = planes[0].origin + row * planes[0].step_y + column * planes[0].step_x - native[0].origin
    step_x, step_y = native[0].step_x, native[0].step_y
    native_centre = (shift @ step_y / (step_y @ step_y), shift @ step_x / (step_x @ step_x))
    spacing = model_spacing(model, native)
    target = [window_plane(plane, plane.origin + shift, model.size, spacing) for plane in native]
    return Window(tuple(target), stack_scale(frame, native_centre, native[0].spacing[0]))


def segment_frames(
    model: Model,
    frames: np.ndarray,
    native: list[Plane],
    window: Window,
    views: int = VIEWS,
    done: Callable[[int], None] = lambda count: None,
) -> np.ndarray:
    """Labels (F, S, H, W) uint8 of frames (F, S, H, W) on their own planes.

    views: of the window, to be averaged. done: told of slices finished.
    """
    images = np.stack([window.images(frame, native) for frame in frames])
    found = model.segment(images, views=views, done=done)[0].cpu().numpy()
    positions = np.array([plane.origin @ native[0].normal for plane in native])
    labels = np.zeros(frames.shape, np.uint8)
    for own, out in zip(found.reshape(*images.shape[:2], *found.shape[1:]), labels, strict=True):
        probabilities = agree(own, positions, window.spacing)
        for index, (source, target) in enumerate(zip(window.planes, native, strict=True)):
            shares = [
                sample_plane(share, source, target, fill=float(label == 0))
                for label, share in enumerate(probabilities[index])
            ]
            out[index] = np.argmax(shares, axis=0)
        out[:] = tidy(out)
    return labels


def agree(probabilities: np.ndarray, positions: np.ndarray, spacing: float) -> np.ndarray:
    """Class probabilities (S, 4, H, W) of slices each of which has heard its neighbours.

    The mean-field update of a chain: PASSES times each slice's own probabilities are multiplied by DOUBT plus
    the mean of what its neighbours hold by now, blurred by SLANT of their distance, since walls lean. A
    ventricle that one slice takes for the other is set right by those on both sides, while a slice that is
    sure of itself stands.

    positions: (S,) mm along the normal. spacing: mm a pixel.
    """
    own = np.asarray(probabilities, np.float32)
    count, heard = len(own), own
    for _ in range(PASSES if count > 1 else 0):
        told = np.empty_like(own)
        for index in range(count):
            beside = [other for other in (index - 1, index + 1) if 0 <= other < count]
            told[index] = np.mean(
                [_blurred(heard[i], SLANT * abs(positions[i] - positions[index]) / spacing) for i in beside],
                0,
            )
        heard = own * (DOUBT + told)
        heard /= heard.sum(1, keepdims=True)
    return heard


def _blurred(maps: np.ndarray, sigma: float) -> np.ndarray:
    """Maps (C, H, W), each blurred by ``sigma`` pixels."""
    return np.stack([ndimage.gaussian_filter(item, sigma, truncate=2.5) for item in maps])


def tidy(labels: np.ndarray) -> np.ndarray:
    """Labels (S, H, W) with each ventricle's largest connected part only, and no hole in either."""
    left = largest_part((labels == LVC) | (labels == LVM))
    out = np.where(left, labels, 0)
    right = largest_part(labels == RVC)
    out[right] = RVC
    for image in out:
        for ventricle, cavity in (((image == LVC) | (image == LVM), LVC), (image == RVC, RVC)):
            image[ndimage.binary_fill_holes(ventricle) & (image == 0)] = cavity
    return out.astype(np.uint8)


def heart_part(labels: np.ndarray) -> np.ndarray:
    """The connected part of labels (S, H, W) that is most a left ventricle: with the most of whichever it has
    less of, cavity or myocardium.

    The chest wall may pass for muscle and a vessel for a cavity, and either may be larger than the heart.
    """
    parts, count = ndimage.label(labels > 0, CONNECTED)
    shares = [np.bincount(parts[labels == label], minlength=count + 1) for label in (LVC, LVM)]
    return (parts == np.minimum(*shares).argmax()) & (labels > 0)


def largest_part(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask (S, H, W), touching across neighbouring slices included."""
    parts, count = ndimage.label(mask, CONNECTED)
    if count <= 1:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return parts == sizes.argmax()


def bottleneck(model: Model, images: np.ndarray) -> torch.Tensor:
    """l_mor of the ``paper`` preset: features (N, C, H/16, W/16) of images (F, S, size, size) in [0, 1]."""
    return model.segment(images)[1]
