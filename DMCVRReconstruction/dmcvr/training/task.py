"""What the training loop asks of a network that is to be trained."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from torch import Tensor, nn


class Task(Protocol):
    """One network's data, loss and judgement; the modules named after networks hold one each."""

    part: str
    """The name of its weights in a bundle."""

    def build(self) -> nn.Module:
        """The network, freshly initialised from torch's global generator."""

    def loss(self, module: nn.Module, count: int) -> Tensor:
        """The loss of ``count`` random views, on the task's device.

        All randomness comes from torch's global generators. ``module`` is called as a whole, never in parts,
        so that `DistributedDataParallel` may stand in its place.
        """

    def scores(self, module: nn.Module) -> dict[str, float]:
        """How well the network does on cases kept apart, by name; empty where there are none."""

    def picture(self, module: nn.Module) -> np.ndarray:
        """What the network makes of a few fixed cases: (H, W, 3) uint8."""
