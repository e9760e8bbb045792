"""Finding the heart in a stack, and the square window about it that the model sees."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..core.errors import InputError
from ..core.geometry import Plane, sample_plane
from ..core.intensity import field_scale, stack_scale
from ..core.labels import LVC, LVM
from ..io.labelled import resample_labels
from ..model.inference import Model
from .output_grid import window_plane

WIDE_STEP = 2.0
"""The field of view is searched in pixels this many times the model's."""


SMALLEST_LV_ML = 3.0
"""A left ventricle with less cavity or less myocardium than this is none."""


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

    def labels(self, labels: np.ndarray, native: list[Plane]) -> np.ndarray:
        """(S, size, size) uint8 of labels (S, H, W) on the planes ``native``."""
        return np.stack([resample_labels(*item) for item in zip(labels, native, self.planes, strict=True)])

    def resized(self, size: int, spacing: float) -> Window:
        """The window about the same middle, of ``size`` pixels of ``spacing`` mm a side."""
        planes = tuple(window_plane(plane, plane.centre, size, spacing) for plane in self.planes)
        return replace(self, planes=planes)


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
    return Window(tuple(target), stack_scale(frame, native_centre, native[0].spacing))


def heart_part(labels: np.ndarray) -> np.ndarray:
    """The connected part of labels (S, H, W) that is most a left ventricle: with the most of whichever it has
    less of, cavity or myocardium.

    The chest wall may pass for muscle and a vessel for a cavity, and either may be larger than the heart.
    """
    parts, count = ndimage.label(labels > 0, CONNECTED)
    shares = [np.bincount(parts[labels == label], minlength=count + 1) for label in (LVC, LVM)]
    part: np.ndarray = (parts == np.minimum(*shares).argmax()) & (labels > 0)
    return part
