"""Focal + Dice, the segmenter's loss in the paper."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def focal_loss(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Mean focal loss (Lin et al., 2017). logits: (B, C, H, W); labels: (B, H, W) int64."""
    log_probability = F.log_softmax(logits, 1).gather(1, labels[:, None])[:, 0]
    return (-((1 - log_probability.exp()) ** gamma) * log_probability).mean()


def dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """1 - soft Dice, mean over the structures (not the background), counted over the whole batch.

    Over the batch, since many slices lack a structure and a slice's own Dice would then be undefined.
    logits: (B, C, H, W); labels: (B, H, W) int64.
    """
    probability = F.softmax(logits, 1)
    own, each = probability.gather(1, labels[:, None]).flatten(), labels.flatten()
    overlap = own.new_zeros(logits.shape[1]).index_add(0, each, own)
    total = probability.sum((0, 2, 3)) + each.bincount(minlength=logits.shape[1])
    return 1 - ((2 * overlap + 1) / (total + 1))[1:].mean()


def segmentation_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Focal + Dice."""
    return focal_loss(logits, labels) + dice_loss(logits, labels)
