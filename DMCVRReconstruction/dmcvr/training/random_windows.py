"""Random views of hearts in their windows, what the generators train on."""

from __future__ import annotations

import torch
from torch import Tensor

from .augment import GENERATOR, random_view
from .slices import Slices


def random_windows(data: Slices, count: int, size: int, spacing_mm: float | None) -> tuple[Tensor, Tensor]:
    """A random batch: images (B, 1, size, size) in [0, 1] and labels (B, size, size), augmented by GENERATOR.

    spacing_mm: of a view's pixels; None keeps those of each slice.
    """
    index = torch.randint(len(data), (count,), device=data.device)
    spacings = data.spacings[index]
    return random_view(
        data.image_batch(index[:, None]),
        data.labels[index],
        data.centres[index],
        size,
        torch.ones_like(spacings) if spacing_mm is None else spacing_mm / spacings,
        GENERATOR.jitter_mm / spacings[:, None],
        GENERATOR,
    )
