"""Training of the generator: semantic encoder and denoiser together (eq. 4), the morphology code given.

A share of the samples is denoised without its morphology code, so the same weights also run as DiffAE.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..device import choose_precision
from ..diffusion.sampler import target
from ..diffusion.schedule import SCHEDULES
from ..morphology import distance_code
from ..networks.denoiser import Denoiser
from ..networks.presets import Preset
from ..networks.semantic import SemanticEncoder
from .augment import GENERATOR, random_view
from .data import Slices

WITHHELD_SHARE = 0.15


class Generator(nn.Module):
    """Semantic encoder and denoiser, trained as one."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.semantic = SemanticEncoder(preset.semantic)
        self.denoiser = Denoiser(preset.denoiser)


def draw_batch(data: Slices, preset: Preset, count: int) -> tuple[Tensor, Tensor]:
    """A random batch: images (B, 1, size, size) in [-1, 1] and labels (B, size, size) uint8."""
    index = torch.randint(len(data), (count,))
    images, labels, centres = (
        data.image_batch(index[:, None]), data.label_batch(index), data.centre_batch(index)
    )
    step = torch.full((count,), preset.spacing_mm / data.spacing)
    views, view_labels = random_view(
        images, labels, centres, preset.image_size, step, GENERATOR.jitter_mm / data.spacing, GENERATOR
    )
    return views * 2 - 1, view_labels[:, 0].to(torch.uint8)


def generator_loss(
    module: Generator, data: Slices, preset: Preset, count: int, device: torch.device
) -> Tensor:
    """Mean squared error of the denoiser's answer (eq. 4) over one random batch."""
    images, labels = draw_batch(data, preset, count)
    code = distance_code(labels.numpy(), preset.spacing_mm)
    schedule = SCHEDULES[preset.schedule]()
    # Evenly spread noise levels within the batch lower the loss's variance without changing its mean.
    uniform = (torch.arange(count) + torch.rand(count)) / count
    lam = schedule.draw(uniform[torch.randperm(count)])
    noise, present = torch.randn_like(images), torch.rand(count) >= WITHHELD_SHARE
    images, code, lam, noise, present = (item.to(device) for item in (images, code, lam, noise, present))
    noisy, answer = target(images, noise, lam, preset.prediction)
    with torch.autocast(device.type, torch.bfloat16, enabled=choose_precision("auto", device) == "bfloat16"):
        semantic = module.semantic(images)
        output = module.denoiser(
            noisy.contiguous(memory_format=torch.channels_last),
            schedule.network_time(lam),
            semantic.float(),
            code,
            present,
        )
    return (output.float() - answer).square().mean()
