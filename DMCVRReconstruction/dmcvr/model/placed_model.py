"""What a model has on a device, whichever its networks are."""

from __future__ import annotations

from functools import cached_property
from typing import Generic, TypeVar

import torch

from .bundle import model_sha256
from .device import Network, autocast, choose_device, choose_precision, describe, placed
from .networks.deeprecon_preset import DeepReconPreset
from .networks.presets import Preset

Kind = TypeVar("Kind", Preset, DeepReconPreset)


class PlacedModel(Generic[Kind]):
    """A preset, the card of its bundle, and the device and precision that its networks compute with.

    Raises InputError where the device is not there.
    """

    def __init__(self, preset: Kind, card: dict, device: str, precision: str):
        self.preset: Kind = preset
        self.card = card
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)

    @property
    def size(self) -> int:
        """Side of the model's square images, in pixels."""
        return self.preset.image_size

    @property
    def description(self) -> str:
        """What the model computes on, in words."""
        return describe(self.device)

    @cached_property
    def sha256(self) -> str:
        """One hash for the whole model: of the hashes of its parts."""
        return model_sha256(self.card)

    def _placed(self, network: Network) -> Network:
        """``network`` on the device, to be used as it is."""
        return placed(network.eval().requires_grad_(False), self.device)

    def _autocast(self) -> torch.autocast:
        """The context in which the networks compute."""
        return autocast(self.device, self.precision)
