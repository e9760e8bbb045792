"""E_mor and D_mor: any network that offers what `Segmenter` asks, for the paper assumes no architecture."""

from __future__ import annotations

from .medformer import MedFormer
from .presets import MedFormerConfig, ResidualUNetConfig
from .residual_unet import ResidualUNet

Segmenter = MedFormer | ResidualUNet
"""``forward`` takes images (B, slices, H, W) in [0, 1], a slice between its neighbours in the stack, to class
logits (B, classes, H, W); ``segment_and_encode`` gives the bottleneck, l_mor, as well; ``shift_scores``
calibrates the logits.
"""


def build_segmenter(config: MedFormerConfig | ResidualUNetConfig) -> Segmenter:
    """The network of a configuration, freshly initialised."""
    return ResidualUNet(config) if isinstance(config, ResidualUNetConfig) else MedFormer(config)
