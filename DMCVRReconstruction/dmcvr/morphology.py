"""Between labels and the morphology code that conditions the denoiser."""

from __future__ import annotations

import numpy as np
import torch

from .shape import nested_distances

REACH_MM = 12.0
"""Distance from a wall beyond which the code does not tell any more."""


def distance_code(labels: np.ndarray, spacing: float) -> torch.Tensor:
    """Code (B, 3, H, W) float32 in [-1, 1] of labels (B, H, W): nested signed distances over REACH_MM."""
    return scale_distances(nested_distances(labels, (spacing, spacing), REACH_MM))


def scale_distances(distances: np.ndarray) -> torch.Tensor:
    """The code of distance maps (B, 3, H, W) in mm."""
    return torch.from_numpy(np.clip(distances / REACH_MM, -1, 1).astype(np.float32))
