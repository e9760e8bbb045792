"""How far a decoded slice is from a slice and its labels: what training and optimisation make small.

    loss = L1(image) + L1(differences between neighbouring pixels) + ENTROPY CE(labels) + OVERLAP (1 - Dice)

Each term is of one slice alone, a mean over its pixels or, for soft Dice, over its structures.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

ENTROPY, OVERLAP = 0.2, 0.1
"""Weights of the labels' terms beside the image's."""


def slice_loss(images: Tensor, logits: Tensor, true_images: Tensor, true_labels: Tensor) -> Tensor:
    """(B,) the loss of each decoded slice.

    images, true_images: (B, 1, H, W), true ones in [0, 1]. logits: (B, C, H, W). true_labels: (B, H, W)
    int64.
    """
    entropy = F.cross_entropy(logits, true_labels, reduction="none").mean((1, 2))
    return image_loss(images, true_images) + ENTROPY * entropy + OVERLAP * overlap_loss(logits, true_labels)


def image_loss(images: Tensor, true_images: Tensor) -> Tensor:
    """(B,) mean absolute difference, and that of the differences down the rows and along the columns."""
    error = images - true_images
    return error.abs().mean((1, 2, 3)) + sum(error.diff(dim=axis).abs().mean((1, 2, 3)) for axis in (2, 3))


def overlap_loss(logits: Tensor, true_labels: Tensor) -> Tensor:
    """(B,) 1 - soft Dice, mean over the structures; a structure that neither has counts as found."""
    shares = logits.softmax(1)[:, 1:]
    true = F.one_hot(true_labels, logits.shape[1]).movedim(-1, 1)[:, 1:].to(shares.dtype)
    overlap, total = (shares * true).sum((2, 3)), (shares + true).sum((2, 3))
    return (1 - (2 * overlap + 1) / (total + 1)).mean(1)
