"""The trained segmenter's score of the myocardium, shifted until there is as much of it as experts draw.

Dice rewards calling a pixel a thin structure's where that is as likely as not, so a network trained on it
draws the wall too thick.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.labels import LVM
from ..model.device import autocast
from ..model.networks.segmenters import Segmenter
from .segmenter import SegmenterTask

VIEWS = 512
"""Windows that are counted on, evenly spread over the data."""
CHUNK = 32
LARGEST = 1.0
"""A network that would need a larger shift is not trained yet."""


@torch.no_grad()
def calibrate(module: Segmenter, task: SegmenterTask) -> float:
    """Shift the myocardium's score of ``module``, for good, and return by how much.

    What is counted on are windows of the task's training data.
    """
    data = task.data
    spread = torch.linspace(0, len(data) - 1, min(VIEWS, len(data)), device=data.device).long()
    leads, count = [], 0
    for index in spread.split(CHUNK):
        images, labels = task.windows(data, index)
        with autocast(images.device):
            logits = module(images).float()
        leads.append(lead(logits, LVM).flatten())
        count += int((labels == LVM).sum())
    shift = balance(torch.cat(leads), count)
    offsets = torch.zeros(task.preset.segmenter.classes, device=data.device)
    offsets[LVM] = shift
    module.shift_scores(offsets)
    return shift


def lead(logits: Tensor, label: int) -> Tensor:
    """(B, H, W) by how much the score of ``label`` exceeds the best other one, of logits (B, C, H, W)."""
    others = logits.clone()
    others[:, label] = -torch.inf
    return logits[:, label] - others.amax(1)


def balance(leads: Tensor, count: int) -> float:
    """What to add to leads (N,) so that ``count`` of them are above 0, at most LARGEST either way."""
    rank = min(max(len(leads) - count, 1), len(leads))
    return float(-leads.kthvalue(rank).values.clamp(-LARGEST, LARGEST))
