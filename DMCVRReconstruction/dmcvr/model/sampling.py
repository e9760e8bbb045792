"""Maps of slices sampled at places in their planes."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def sample_maps(
    maps: Tensor, points: np.ndarray, spacing: tuple[float, float], mode: str = "bilinear"
) -> Tensor:
    """Maps (S, C, H, W) at points (h, w, 2), or (S, h, w, 2) for each slice its own, mm along x and y from
    pixel [0, 0]: (S, C, h, w). Beyond their border they go on as they are there.
    """
    height, width = maps.shape[-2:]
    grid = (points / np.asarray(spacing) + 0.5) * 2 / [width, height] - 1
    grid = torch.from_numpy(grid.astype(np.float32)).expand(len(maps), -1, -1, -1)
    return F.grid_sample(maps, grid, mode=mode, padding_mode="border", align_corners=False)
