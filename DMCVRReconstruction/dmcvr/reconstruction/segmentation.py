"""Labelling the slices of a stack in the heart's window, so that ventricles agree along the stack."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy import ndimage

from ..anatomy.pieces import largest_piece
from ..core.geometry import Plane, sample_plane
from ..core.labels import LVC, LVM, RVC
from ..model.inference import Model
from .heart_window import CONNECTED, Window

VIEWS = 8
"""Turns and mirror images of the window that are labelled and averaged."""
FLOOR, SLANT, PASSES = 0.1, 0.6, 3
"""Of `mean_field_along_stack`: its floor, the blur in mm a mm of distance, and its iterations."""


def segment_frames(
    model: Model,
    frames: np.ndarray,
    native: list[Plane],
    window: Window,
    views: int = VIEWS,
    done: Callable[[int], None] = lambda count: None,
) -> np.ndarray:
    """Labels (F, S, H, W) uint8 of frames (F, S, H, W) on their own planes.

    views: of the window, to be averaged. done: called with the number of slices finished.
    """
    images = np.stack([window.images(frame, native) for frame in frames])
    found = model.segment(images, views=views, done=done)[0].cpu().numpy()
    positions = np.array([plane.origin @ native[0].normal for plane in native])
    labels = np.zeros(frames.shape, np.uint8)
    for own, out in zip(found.reshape(*images.shape[:2], *found.shape[1:]), labels, strict=True):
        probabilities = mean_field_along_stack(own, positions, window.spacing)
        for index, (source, target) in enumerate(zip(window.planes, native, strict=True)):
            # Beyond the window all are 0, and the first, the background, is the largest.
            out[index] = sample_plane(probabilities[index], source, target).argmax(0)
        out[:] = clean_labels(out)
    return labels


def mean_field_along_stack(probabilities: np.ndarray, positions: np.ndarray, spacing: float) -> np.ndarray:
    """Class probabilities (S, 4, H, W) of slices, each corrected by its neighbours.

    The mean-field update of a chain: PASSES times each slice's own probabilities are multiplied by FLOOR plus
    its neighbours' mean probabilities so far, blurred by SLANT of their distance, since walls lean. A
    ventricle that one slice takes for the other is set right by those on both sides, while a slice that is
    sure of itself stands.

    positions: (S,) mm along the normal. spacing: mm a pixel.
    """
    own = np.asarray(probabilities, np.float32)
    count, current = len(own), own
    blurs = [_blur(own.shape[-2:], SLANT * abs(gap) / spacing) for gap in np.diff(positions)]
    for _ in range(PASSES if count > 1 else 0):
        messages = np.zeros_like(own)
        for index, (rows, columns) in enumerate(blurs):
            messages[index + 1] += rows @ current[index] @ columns.T
            messages[index] += rows @ current[index + 1] @ columns.T
        messages[1:-1] /= 2
        current = own * (FLOOR + messages)
        current /= current.sum(1, keepdims=True)
    return current


def _blur(shape: tuple[int, int], sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """The matrices (H, H) and (W, W) that blur columns and rows of maps (H, W) by ``sigma`` pixels."""
    rows, columns = (
        ndimage.gaussian_filter1d(np.eye(count, dtype=np.float32), sigma, axis=0, truncate=2.5)
        for count in shape
    )
    return rows, columns


def clean_labels(labels: np.ndarray) -> np.ndarray:
    """Labels (S, H, W) with each ventricle's largest part only, and no hole in either; what touches by a
    corner, in neighbouring slices as well, is one part.
    """
    left = largest_piece((labels == LVC) | (labels == LVM), CONNECTED)
    out = np.where(left, labels, 0)
    right = largest_piece(labels == RVC, CONNECTED)
    out[right] = RVC
    for image in out:
        for ventricle, cavity in (((image == LVC) | (image == LVM), LVC), (image == RVC, RVC)):
            image[ndimage.binary_fill_holes(ventricle) & (image == 0)] = cavity
    return out.astype(np.uint8)


def bottleneck(model: Model, images: np.ndarray) -> torch.Tensor:
    """l_mor of the ``paper`` preset: features (N, C, H/16, W/16) of images (F, S, size, size) in [0, 1]."""
    return model.segment(images)[1]
