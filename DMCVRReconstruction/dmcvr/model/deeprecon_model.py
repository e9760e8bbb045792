"""A DeepRecon-style model on a device: encode slices, decode codes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ..core.errors import InputError
from .bundle import preset_of, read_card
from .networks.deeprecon import StyleAutoencoder
from .networks.deeprecon_preset import DeepReconPreset
from .placed_model import PlacedModel
from .weights import checked_weights, fill, fitted, read_weights

CPU_BATCH, GPU_BATCH = 16, 256
"""Slices that are optimised at once."""


class DeepReconModel(PlacedModel[DeepReconPreset]):
    """Encoder and generator of one preset on one device."""

    def __init__(
        self,
        preset: DeepReconPreset,
        networks: StyleAutoencoder,
        card: dict,
        device: str = "auto",
        precision: str = "auto",
    ):
        super().__init__(preset, card, device, precision)
        networks = self._placed(networks)
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

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """W+ codes (B, layers, code) of images (B, 1, size, size) in [0, 1]."""
        with self._autocast():
            return self._encoder(images.to(self.device)).float()

    def decode(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, 1, size, size) and class logits (B, classes, size, size) of codes (B, layers, code)."""
        with self._autocast():
            images, logits = self._generator(codes)
        return images.float(), logits.float()
