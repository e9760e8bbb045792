"""Sizes of the DeepRecon-style baseline's networks, saved as JSON beside their weights. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from .presets import build_config


@dataclass(frozen=True)
class DeepReconPreset:
    """Everything that fixes a DeepRecon-style model but its weights.

    image_size: side of its square images in pixels. spacing_mm: their size.
    widths: channels of the generator's levels from the coarsest, each at twice the resolution of the one
        before; of the encoder's the other way round.
    code: numbers in the code of one layer; a W+ code has one such for every layer.
    bottleneck: channels of the encoder's last features.
    groups: of the encoder's normalisation.
    """

    name: str = "deeprecon"
    image_size: int = 96
    spacing_mm: float = 2.0
    widths: tuple[int, ...] = (128, 128, 96, 48, 24)
    code: int = 128
    bottleneck: int = 32
    groups: int = 8
    classes: int = 4

    def __post_init__(self):
        if not self.widths or self.image_size % 2 ** (len(self.widths) - 1):
            raise ValueError("image_size must be the coarsest level's, doubled once for every further level.")

    @property
    def parts(self) -> tuple[str, ...]:
        """The files of weights in a model folder."""
        return ("deeprecon",)

    @property
    def coarsest(self) -> int:
        """Side of the coarsest level in pixels."""
        return self.image_size // 2 ** (len(self.widths) - 1)

    @property
    def layers(self) -> int:
        """Codes in a W+ code: one for the coarsest level's convolution, two for every further level."""
        return 2 * len(self.widths) - 1


DEEPRECON = DeepReconPreset()


def deeprecon_preset(values: dict) -> DeepReconPreset:
    """The preset of its fields as JSON holds them. Raises ValueError as `presets.from_dict` does."""
    return build_config(DeepReconPreset, values)
