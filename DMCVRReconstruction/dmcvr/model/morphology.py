"""Between labels and the morphology code that conditions the denoiser."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..anatomy.signed_distances import STRUCTURES

REACH_MM = 12.0
"""Distance from a wall beyond which the code does not tell any more."""


def distance_code(labels: Tensor, spacing: float) -> Tensor:
    """Code (B, 3, H, W) float32 in [-1, 1] of labels (B, H, W): nested signed distances over REACH_MM.

    The distances are those of `signed_distances.nested_distances` for square pixels of ``spacing`` mm,
    computed where the labels are, in time for training.
    """
    masks = torch.stack([torch.isin(labels, labels.new_tensor(members)) for members in STRUCTURES], 1)
    reach = math.ceil(REACH_MM / spacing + 0.5)
    # Beyond the image is outside of every structure.
    to_outside = _distance(F.pad(~masks, [reach] * 4, value=True), reach)
    to_inside = _distance(F.pad(masks, [reach] * 4, value=False), reach)
    signed = torch.where(masks, to_outside - 0.5, 0.5 - to_inside) * spacing
    return (signed / REACH_MM).clamp(-1, 1)


def _distance(targets: Tensor, reach: int) -> Tensor:
    """(..., H, W) pixels to the nearest of ``targets`` (..., H + 2 reach, W + 2 reach) bool, exact up to
    ``reach``; one axis after the other, since squared distances add up.
    """
    squared = torch.where(targets, 0.0, float((4 * reach) ** 2))
    for axis in (-1, -2):
        length = squared.shape[axis] - 2 * reach
        shifted = (squared.narrow(axis, reach + k, length) + k * k for k in range(-reach, reach + 1))
        nearest = next(shifted)
        for other in shifted:
            nearest = torch.minimum(nearest, other)
        squared = nearest
    return squared.sqrt()


def scale_distances(distances: np.ndarray) -> Tensor:
    """The code of distance maps (B, 3, H, W) in mm."""
    return torch.from_numpy(np.clip(distances / REACH_MM, -1, 1).astype(np.float32))
