"""Images as batches: how many at once, with or without their neighbours, turned and mirrored."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .networks.presets import Preset

CPU_BATCH, GPU_BATCH = 6, 256
"""The largest batches."""


BYTES = 88
"""What a pixel of one image takes of memory in the denoiser for each channel at full resolution, with the
codes that are kept for all noise levels; in float32 a third above what was measured, of the codes estimated.
"""


def batch_size(preset: Preset, device: torch.device) -> int:
    """How many images go through the networks at once: on a processor few, since more gain nothing there; on
    a graphics card as many as half of its free memory holds.
    """
    if device.type == "cpu":
        return CPU_BATCH
    free, _ = torch.cuda.mem_get_info(device)
    needed = BYTES * preset.denoiser.base * preset.image_size**2
    return int(np.clip(free / 2 / needed, 1, GPU_BATCH))


def even_parts(count: int, most: int) -> list[slice]:
    """``count`` items in as few parts of at most ``most`` as hold them, their sizes equal but for one."""
    parts = -(-count // most)
    return [slice(part * count // parts, (part + 1) * count // parts) for part in range(parts)]


def as_batch(images: np.ndarray) -> Tensor:
    """(B, 1, H, W) float32 of images (B, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(images, np.float32))[:, None]


def with_neighbours(images: np.ndarray, context: int) -> Tensor:
    """(N, 1 + 2 context, H, W) float32: every slice of a stack (S, H, W), or of several (F, S, H, W), between
    its neighbours, which are 0 beyond the ends.
    """
    stacks = images[None] if images.ndim == 3 else images
    padded = np.pad(stacks, ((0, 0), (context, context), (0, 0), (0, 0)))
    shifted = [padded[:, start : start + stacks.shape[1]] for start in range(1 + 2 * context)]
    together = np.stack(shifted, 2).reshape(-1, len(shifted), *stacks.shape[2:])
    return torch.from_numpy(together.astype(np.float32))


def without_neighbours(images: np.ndarray, context: int) -> Tensor:
    """(N, 1 + 2 context, H, W) float32: images (..., H, W) as if they had no neighbours."""
    single = images.reshape(-1, 1, *images.shape[-2:])
    return torch.from_numpy(np.pad(single, ((0, 0), (context, context), (0, 0), (0, 0)))).float()


def turn(images: Tensor, view: int) -> Tensor:
    """Square images (..., H, W), mirrored if ``view`` is odd, then turned by ``view`` // 2 right angles."""
    return (images.flip(-1) if view % 2 else images).rot90(view // 2, (-2, -1))


def turn_back(images: Tensor, view: int) -> Tensor:
    """Undoes `turn`."""
    images = images.rot90(-(view // 2), (-2, -1))
    return images.flip(-1) if view % 2 else images
