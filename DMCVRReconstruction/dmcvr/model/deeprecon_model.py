"""A DeepRecon-style model on a device: encode slices, decode codes."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ..core.errors import InputError
from .bundle import model_sha256, preset_of, read_card
from .device import autocast, choose_device, choose_precision, placed
from .networks.deeprecon import StyleAutoencoder
from .networks.deeprecon_preset import DeepReconPreset
from .weights import checked_weights, fill, fitted, read_weights

CPU_BATCH, GPU_BATCH = 16, 256
"""Slices that are optimised at once."""


class DeepReconModel:
    """Encoder and generator of one preset on one device."""

    def __init__(
        self,
        preset: DeepReconPreset,
        networks: StyleAutoencoder,
        card: dict,
        device: str = "auto",
        precision: str = "auto",
    ):
        self.preset = preset
        self.card = card
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        networks = placed(networks.eval().requires_grad_(False), self.device)
        self._encoder, self._generator = networks.encoder, networks.generator
        self.batch = CPU_BATCH if self.device.type == "cpu" else GPU_BATCH

    @classmethod
    def load(cls, folder: Path | str, device: str = "auto", precision: str = "auto") -> DeepReconModel:
        """The model in ``folder``. Raises InputError where it is damaged or another kind of model."""
        folder = Path(folder)
        card = read_card(folder)
        preset = preset_of(card)
        if not isinstance(preset, DeepReconPreset):
            raise InputError(
                "The model folder holds no DeepRecon model; give one that dmcvr train deeprecon made."
            )
        weights = checked_weights(folder, "deeprecon", card["sha256"])
        with fitted():
            with torch.device("meta"):
                networks = StyleAutoencoder(preset)
            fill(networks, read_weights(weights))
        return cls(preset, networks, card, device, precision)

    @property
    def size(self) -> int:
        """Side of the model's square images, in pixels."""
        return self.preset.image_size

    @cached_property
    def sha256(self) -> str:
        """One hash for the whole model, as `Model.sha256`."""
        return model_sha256(self.card)

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """W+ codes (B, layers, code) of images (B, 1, size, size) in [0, 1]."""
        with autocast(self.device, self.precision):
            return self._encoder(images.to(self.device)).float()

    def decode(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, 1, size, size) and class logits (B, classes, size, size) of codes (B, layers, code)."""
        with autocast(self.device, self.precision):
            images, logits = self._generator(codes)
        return images.float(), logits.float()
