"""Training of the generator: semantic encoder and denoiser together (eq. 4), the morphology code given.

A share of the samples is denoised without its morphology code, so the same weights also run without, nearly
as DiffAE would; a preset that has no such code is DiffAE.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor, nn

from ..anatomy.signed_distances import nested_distances
from ..model.device import autocast
from ..model.diffusion.sampler import target
from ..model.diffusion.schedule import SCHEDULES
from ..model.inference import Model
from ..model.morphology import REACH_MM, distance_code
from ..model.networks.denoiser import Denoiser
from ..model.networks.presets import Preset
from ..model.networks.segmenters import Segmenter, build_segmenter
from ..model.networks.semantic import SemanticEncoder
from ..model.weights import Networks
from ..reconstruction.latents import AcquiredSlices, TargetSlices, invert_slices
from ..reconstruction.options import Options
from ..reconstruction.slice_generator import generate_slices
from .augment import still_view, uniform
from .pictures import grey, tiled
from .random_windows import random_windows
from .slices import Slices, window_step

WITHHELD_SHARE = 0.15
SHOWN = 8


class Generator(nn.Module):
    """Semantic encoder and denoiser, trained as one."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.semantic = SemanticEncoder(preset.semantic)
        self.denoiser = Denoiser(preset.denoiser)

    def forward(
        self, images: Tensor, noisy: Tensor, time: Tensor, code: Tensor | None, present: Tensor
    ) -> Tensor:
        """The denoiser's answer (B, 1, H, W); images, noisy: (B, 1, H, W), the rest as in `Denoiser`."""
        return self.denoiser(noisy, time, self.semantic(images), code, present)


@dataclass(frozen=True)
class GeneratorTask:
    """See `task.Task`.

    data, held_out: on one device; the latter None where no case is kept apart.
    segmenter: trained, on the same device, for a preset whose morphology code is its bottleneck.
    """

    data: Slices
    held_out: Slices | None
    preset: Preset
    segmenter: Segmenter | None = field(default=None, repr=False)
    part = "generator"

    def build(self) -> Generator:
        return Generator(self.preset)

    def loss(self, module: nn.Module, count: int) -> Tensor:
        """Mean squared error of the denoiser's answer (eq. 4) over one random batch."""
        images, labels = self.draw(count)
        schedule = SCHEDULES[self.preset.schedule]()
        # Evenly spread noise levels within the batch lower the loss's variance without changing its mean.
        level = (torch.arange(count, device=images.device) + uniform(images, 0, 1)) / count
        lam = schedule.draw(level[torch.randperm(count, device=images.device)])
        noise, present = torch.randn_like(images), uniform(images, 0, 1) >= WITHHELD_SHARE
        noisy, answer = target(images, noise, lam, self.preset.prediction)
        with autocast(images.device):
            code = self.code(images, labels)
            output = module(
                images, noisy.contiguous(memory_format=torch.channels_last), schedule.network_time(lam), code,
                present,
            )  # fmt: skip
        return (output.float() - answer).square().mean()

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """A random batch: images (B, 1, size, size) in [-1, 1] and labels (B, size, size) uint8."""
        views, labels = random_windows(self.data, count, self.preset.image_size, self.preset.spacing_mm)
        return views * 2 - 1, labels.to(torch.uint8)

    def code(self, images: Tensor, labels: Tensor) -> Tensor | None:
        """l_mor of images (B, 1, H, W) in [-1, 1] with labels (B, H, W), in the form the preset takes."""
        if self.preset.morphology is None:
            return None
        if self.preset.morphology == "maps":
            return distance_code(labels, self.preset.pixel_mm)
        if self.segmenter is None:
            raise ValueError("The bottleneck code needs a trained segmenter.")
        with torch.no_grad():
            return self.segmenter.encode((images + 1) / 2)

    @torch.no_grad()
    def scores(self, module: nn.Module) -> dict[str, float]:
        """PSNR in dB of a few slices kept apart after full inversion and full generation."""
        if self.held_out is None:
            return {}
        images, made = self._round_trip(module)
        pairs = zip(images, made, strict=True)
        return {"PSNR dB": float(np.mean([peak_signal_noise_ratio(*pair, data_range=1) for pair in pairs]))}

    @torch.no_grad()
    def picture(self, module: nn.Module) -> np.ndarray:
        """Slices above, and below what is left of them after full inversion and full generation."""
        return tiled([[grey(image) for image in row] for row in self._round_trip(module)])

    def _round_trip(self, module: nn.Module) -> tuple[np.ndarray, np.ndarray]:
        """SHOWN slices (S, size, size) in [0, 1], evenly spread over the cases, and the same regenerated."""
        assert isinstance(module, Generator)  # as built above
        data = self.data if self.held_out is None else self.held_out
        index = torch.linspace(0, len(data) - 1, SHOWN, device=data.device).long()
        spacings = data.spacings[index]
        spacing = self.preset.spacing_mm or float(spacings[0])
        views, labels = still_view(
            data.image_batch(index[:, None]), data.labels[index], data.centres[index],
            self.preset.image_size, window_step(self.preset, spacings),
        )  # fmt: skip
        images = views[:, 0].cpu().numpy()
        maps = nested_distances(labels.cpu().numpy().astype(np.uint8), (spacing, spacing), REACH_MM)
        segmenter = build_segmenter(self.preset.segmenter) if self.segmenter is None else self.segmenter
        networks = Networks(segmenter, module.semantic, module.denoiser)
        model = Model(self.preset, networks, {}, device=data.device.type)
        places = np.arange(SHOWN, dtype=float)
        options = Options(rule="paper")
        latents = invert_slices(model, AcquiredSlices(images[None], places, maps[None]), options)
        made = generate_slices(model, latents, TargetSlices(places, maps[None]), options)
        return images, made[0]
