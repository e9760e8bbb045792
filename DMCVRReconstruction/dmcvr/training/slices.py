"""Prepared slices of many stacks, and batches of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from ..model.networks.presets import Preset

CANVAS = 256
"""Pixels along each side of a prepared slice."""
WHITE = 170
"""What is stored for the bright end of the heart's window; up to 1.5 times that is kept."""
ARRAYS = {
    "images": np.uint8,
    "labels": np.uint8,
    "stacks": np.int32,
    "centres": np.float32,
    "spacings": np.float32,
    "positions": np.float32,
}
"""The arrays of `Slices` and how they are stored."""


@dataclass(frozen=True)
class Slices:
    """N slices, those of a stack together and in its order.

    images: (N, CANVAS, CANVAS) uint8, WHITE at the bright end of the heart's window.
    labels: (N, CANVAS, CANVAS) uint8 in the project's label order.
    stacks: (N,) int32, which stack a slice belongs to.
    centres: (N, 2) float32 [row, column], the heart's centre in its stack.
    spacings: (N,) float32, mm a pixel.
    positions: (N,) float32, mm along the stack from its first slice.
    names: of the stacks.
    """

    images: Tensor
    labels: Tensor
    stacks: Tensor
    centres: Tensor
    spacings: Tensor
    positions: Tensor
    names: tuple[str, ...]

    @classmethod
    def of(cls, names: tuple[str, ...], **arrays: np.ndarray) -> Slices:
        """From arrays, which may be mapped from files and are not copied."""
        return cls(names=names, **{name: torch.from_numpy(array) for name, array in arrays.items()})

    def __len__(self) -> int:
        return len(self.images)

    @property
    def device(self) -> torch.device:
        return self.images.device

    def to(self, device: torch.device) -> Slices:
        """The same on a device; on the CPU they stay mapped."""
        moved = {field.name: getattr(self, field.name).to(device) for field in fields(self)[:-1]}
        return replace(self, **moved)

    def image_batch(self, index: Tensor) -> Tensor:
        """Images (B, K, C, C) float32 of the slices in ``index`` (B, K); 0 everywhere where that is -1."""
        return self.images[index.clamp_min(0)].float() * ((index >= 0) / WHITE)[..., None, None]

    def neighbours(self, index: Tensor, offset: Tensor | int) -> Tensor:
        """(B,) the slices ``offset`` (B,) slices further in the same stack; -1 where there is none."""
        other = index + offset
        clamped = other.clamp(0, len(self) - 1)
        same = (other == clamped) & (self.stacks[clamped] == self.stacks[index])
        return torch.where(same, other, -1)


def window_step(preset: Preset, spacings: Tensor) -> Tensor:
    """(B,) prepared pixels, of ``spacings`` (B,) mm, that one pixel of the preset's window covers."""
    if preset.spacing_mm is None:
        return torch.ones_like(spacings)
    return preset.spacing_mm / spacings
