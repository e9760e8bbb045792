"""The trained segmenter's scores of myocardium and RV cavity, shifted until there is as much of them as
experts draw.

Dice rewards calling a pixel a thin structure's where that is as likely as not, so a network trained on it
draws the wall too thick; and it leaves out what it doubts of the RV.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..device import autocast
from ..labels import LVM, RVC
from ..networks.medformer import MedFormer
from .segmenter import SegmenterTask

VIEWS = 512
"""Windows that are counted on, evenly spread over the data."""
CHUNK = 32
LARGEST = 1.0
"""A network that would need a larger shift is not trained yet."""
CALIBRATED = (LVM, RVC)
ROUNDS = 3
"""One structure's shift changes how much there is of the other."""


@torch.no_grad()
def calibrate(module: MedFormer, task: SegmenterTask) -> dict[int, float]:
    """Shift the scores of ``module``, for good, and return by how much, by label.

    What is counted on are windows of the task's training data: cases kept apart are there to score on.
    """
    data = task.data
    spread = torch.linspace(0, len(data) - 1, min(VIEWS, len(data)), device=data.device).long()
    scores, truth = [], []
    for index in spread.split(CHUNK):
        images, labels = task.windows(data, index)
        with autocast(images.device):
            scores.append(module(images).float())
        truth.append(labels)
    shift = offsets(torch.cat(scores), torch.cat(truth))
    module.shift_scores(shift)
    return {label: float(shift[label]) for label in CALIBRATED}


def offsets(logits: Tensor, labels: Tensor) -> Tensor:
    """(4,) what to add to logits (N, 4, H, W) for as much myocardium and RV as in labels (N, H, W)."""
    shift = torch.zeros(logits.shape[1], device=logits.device)
    for _ in range(ROUNDS):
        for label in CALIBRATED:
            others = shift[:, None, None].clone()
            others[label] = 0
            leads = lead(logits + others, label).flatten()
            shift[label] = balance(leads, int((labels == label).sum()))
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
