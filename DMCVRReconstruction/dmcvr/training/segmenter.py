"""Training of the segmenter, E_mor and D_mor of the paper: focal + Dice on views of two kinds.

Most views show the heart's window at the model's spacing. The others show the whole field of view at twice
the spacing, so the same network also finds the heart among everything else. A slice's neighbours are now the
next ones, now those beyond, in either order, and at times withheld: stacks differ in their gaps and in where
they begin, and generated slices have no neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..device import choose_precision
from ..networks.medformer import MedFormer
from ..networks.presets import Preset
from .augment import SEGMENTER, random_view
from .data import CANVAS, Slices
from .losses import segmentation_loss

WIDE_SHARE = 0.2
WIDE_STEP = 2.0
"""Pixels of the whole-field view are this many times those of the window."""
ALONE_SHARE, FAR_SHARE = 0.2, 0.25
"""Views without neighbours; views with neighbours two slices away."""


def draw_neighbours(data: Slices, index: Tensor, context: int) -> Tensor:
    """(B, 1 + 2 context) slices to show for each of ``index`` (B,), -1 for none."""
    count = len(index)
    reach = torch.where(torch.rand(count) < FAR_SHARE, 2, 1) * torch.where(torch.rand(count) < 0.5, -1, 1)
    alone = torch.rand(count) < ALONE_SHARE
    columns = []
    for offset in range(-context, context + 1):
        column = data.neighbours(index, offset * reach)
        columns.append(torch.where(alone, -1, column) if offset else column)
    return torch.stack(columns, 1)


def draw_batch(data: Slices, preset: Preset, count: int) -> tuple[Tensor, Tensor]:
    """A random batch: images (B, slices, size, size) in [0, 1] and labels (B, size, size) int64."""
    index = torch.randint(len(data), (count,))
    images = data.image_batch(draw_neighbours(data, index, preset.segmenter.context))
    labels, centres = data.label_batch(index), data.centre_batch(index)
    wide = torch.rand(count) < WIDE_SHARE
    centres = torch.where(wide[:, None], torch.full_like(centres, (CANVAS - 1) / 2), centres)
    step = torch.where(wide, WIDE_STEP, 1.0) * preset.spacing_mm / data.spacing
    views, view_labels = random_view(
        images, labels, centres, preset.image_size, step, SEGMENTER.jitter_mm / data.spacing, SEGMENTER
    )
    return views, view_labels[:, 0].long()


def segmenter_loss(
    module: MedFormer, data: Slices, preset: Preset, count: int, device: torch.device
) -> Tensor:
    """The loss of one random batch, with deep supervision where the network has a second head."""
    images, labels = (item.to(device) for item in draw_batch(data, preset, count))
    with torch.autocast(device.type, torch.bfloat16, enabled=choose_precision("auto", device) == "bfloat16"):
        answer = module(images, auxiliary=module.config.auxiliary)
    if not module.config.auxiliary:
        return segmentation_loss(answer.float(), labels)
    logits, coarse = (item.float() for item in answer)
    return segmentation_loss(logits, labels) + 0.5 * segmentation_loss(coarse, labels)
