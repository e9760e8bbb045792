"""Training of the segmenter, E_mor and D_mor of the paper: focal + Dice on views of two kinds.

Most views show the heart's window at the model's spacing. The others show the whole field of view at twice
the spacing, so the same network also finds the heart among everything else. A slice's neighbours are now the
next ones, now those beyond, in either order, and at times withheld: stacks differ in their gaps and in where
they begin, and generated slices have no neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from ..core.labels import NAMES
from ..model.device import autocast
from ..model.networks.presets import Preset
from ..model.networks.segmenters import Segmenter, build_segmenter
from .augment import SEGMENTER, Augmentation, random_view, still_view, uniform
from .losses import segmentation_loss
from .pictures import outlined, tiled
from .slices import CANVAS, Slices, window_step

WIDE_SHARE = 0.2
WIDE_STEP = 2.0
"""Pixels of the whole-field view are this many times those of the window."""
ALONE_SHARE = 0.15
"""Views without neighbours."""
FAR_SHARES = 0.35, 0.1
"""Views with neighbours at least two slices away, and three, as in stacks that are as much sparser."""
SHOWN = 8
CHUNK = 32


@dataclass(frozen=True)
class SegmenterTask:
    """See `task.Task`.

    data, held_out: on one device; the latter None where no case is kept apart. criterion: the loss of logits
    (B, C, H, W) against labels (B, H, W).
    """

    data: Slices
    held_out: Slices | None
    preset: Preset
    augmentation: Augmentation = SEGMENTER
    criterion: Callable[[Tensor, Tensor], Tensor] = segmentation_loss
    part = "segmenter"

    def build(self) -> Segmenter:
        return build_segmenter(self.preset.segmenter)

    def loss(self, module: nn.Module, count: int) -> Tensor:
        """Focal + Dice of one random batch, with deep supervision where the network has a second head."""
        images, labels = self.draw(count)
        supervised = self.preset.segmenter.auxiliary
        with autocast(images.device):
            answer = module(images, auxiliary=supervised)
        if not supervised:
            return self.criterion(answer.float(), labels)
        logits, coarse = (item.float() for item in answer)
        return self.criterion(logits, labels) + 0.5 * self.criterion(coarse, labels)

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """A random batch: images (B, slices, size, size) in [0, 1] and labels (B, size, size) int64."""
        data = self.data
        index = torch.randint(len(data), (count,), device=data.device)
        wide = uniform(index, 0, 1) < WIDE_SHARE
        centres = torch.where(wide[:, None], (CANVAS - 1) / 2, data.centres[index])
        views, labels = random_view(
            data.image_batch(self.draw_neighbours(index)),
            data.labels[index],
            centres,
            self.preset.image_size,
            torch.where(wide, WIDE_STEP, 1.0) * window_step(self.preset, data.spacings[index]),
            self.augmentation.jitter_mm / data.spacings[index, None],
            self.augmentation,
        )
        return views, labels.long()

    def draw_neighbours(self, index: Tensor) -> Tensor:
        """(B, slices) what to show for each of ``index`` (B,), -1 for nothing."""
        chance = uniform(index, 0, 1)
        reach = 1 + sum((chance < share).long() for share in FAR_SHARES)
        reach = reach * torch.where(uniform(index, 0, 1) < 0.5, -1, 1)
        alone = uniform(index, 0, 1) < ALONE_SHARE
        context = self.preset.segmenter.context
        columns = []
        for offset in range(-context, context + 1):
            column = self.data.neighbours(index, offset * reach)
            columns.append(torch.where(alone, -1, column) if offset else column)
        return torch.stack(columns, 1)

    def windows(self, data: Slices, index: Tensor) -> tuple[Tensor, Tensor]:
        """The windows of slices ``index`` (B,) as the model sees them, shapes as in `draw`."""
        context = self.preset.segmenter.context
        shown = torch.stack([data.neighbours(index, offset) for offset in range(-context, context + 1)], 1)
        return still_view(
            data.image_batch(shown),
            data.labels[index],
            data.centres[index],
            self.preset.image_size,
            window_step(self.preset, data.spacings[index]),
        )

    @torch.no_grad()
    def scores(self, module: nn.Module) -> dict[str, float]:
        """Mean 3D Dice of the stacks kept apart, in the heart's window, by structure."""
        data = self.held_out
        if data is None:
            return {}
        overlaps, totals = torch.zeros(2, len(data.names), len(NAMES), device=data.device)
        for index in torch.arange(len(data), device=data.device).split(CHUNK):
            images, truth = self.windows(data, index)
            with autocast(images.device):
                found = module(images).argmax(1)
            for column, label in enumerate(NAMES):
                mine, real = found == label, truth == label
                stacks = data.stacks[index].long()
                overlaps[:, column].index_add_(0, stacks, (mine & real).sum((1, 2)).float())
                totals[:, column].index_add_(0, stacks, (mine.sum((1, 2)) + real.sum((1, 2))).float())
        dice = (2 * overlaps / totals).nanmean(0)
        return {f"Dice {name}": float(value) for name, value in zip(NAMES.values(), dice, strict=True)}

    @cached_property
    def shown(self) -> tuple[Slices, Tensor]:
        """The slices of `picture`, evenly spread over the cases."""
        data = self.data if self.held_out is None else self.held_out
        return data, torch.linspace(0, len(data) - 1, SHOWN, device=data.device).long()

    @torch.no_grad()
    def picture(self, module: nn.Module) -> np.ndarray:
        """Windows with the true outlines above and the network's below."""
        images, truth = self.windows(*self.shown)
        with autocast(images.device):
            found = module(images).argmax(1)
        middle = images[:, images.shape[1] // 2]
        rows = [
            [outlined(*pair) for pair in zip(middle.cpu().numpy(), labels.cpu().numpy(), strict=True)]
            for labels in (truth, found)
        ]
        return tiled(rows)
