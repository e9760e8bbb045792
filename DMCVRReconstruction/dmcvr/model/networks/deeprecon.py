"""The networks of the DeepRecon-style baseline: a slice to its W+ code, and a code to image and labels.

The generator is StyleGAN2's synthesis network without its noise inputs (Karras et al. 2020): a learned
constant, modulated convolutions at one resolution after the other, and at each of these output layers whose
results add up from the coarsest on. It has one head for the image and one for the labels. There is no mapping
network: codes come from the encoder, one for every layer, which is the space W+ (Abdal et al., ICCV 2019).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import ConvBlock, conv3
from .deeprecon_preset import DeepReconPreset
from .modulated import ModulatedConv


class StyleGenerator(nn.Module):
    """W+ codes (B, preset.layers, preset.code) to images (B, 1, size, size), about in [0, 1], and class
    logits (B, classes, size, size).
    """

    def __init__(self, preset: DeepReconPreset):
        super().__init__()
        widths, code, side = preset.widths, preset.code, preset.coarsest
        self.constant = nn.Parameter(torch.randn(1, widths[0], side, side))
        self.convolutions = nn.ModuleList([ModulatedConv(widths[0], widths[0], code)])
        for before, width in pairwise(widths):
            self.convolutions += [ModulatedConv(before, width, code), ModulatedConv(width, width, code)]
        self.image_heads, self.label_heads = (
            nn.ModuleList(ModulatedConv(width, channels, code, 1, demodulate=False) for width in widths)
            for channels in (1, preset.classes)
        )

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        x = self._convolved(self.constant.expand(len(codes), -1, -1, -1), codes, 0)
        image, logits = self.image_heads[0](x, codes[:, 0]), self.label_heads[0](x, codes[:, 0])
        heads = zip(self.image_heads[1:], self.label_heads[1:], strict=True)
        for level, (image_head, label_head) in enumerate(heads, 1):
            layer = 2 * level
            x = self._convolved(self._convolved(_doubled(x), codes, layer - 1), codes, layer)
            image = _doubled(image) + image_head(x, codes[:, layer])
            logits = _doubled(logits) + label_head(x, codes[:, layer])
        return image, logits

    def _convolved(self, x: Tensor, codes: Tensor, layer: int) -> Tensor:
        # The gain keeps the variance that the leaky ReLU takes.
        return F.leaky_relu(self.convolutions[layer](x, codes[:, layer]), 0.2) * math.sqrt(2)


def _doubled(x: Tensor) -> Tensor:
    """``x`` (B, C, H, W) at twice the resolution."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class StyleEncoder(nn.Module):
    """Images (B, 1, size, size) in [0, 1] to W+ codes (B, preset.layers, preset.code)."""

    def __init__(self, preset: DeepReconPreset):
        super().__init__()
        widths, groups = preset.widths[::-1], preset.groups
        layers: list[nn.Module] = [conv3(1, widths[0])]
        for before, width in pairwise(widths):
            layers += [ConvBlock(before, width, groups, "down"), ConvBlock(width, width, groups)]
        layers += [
            nn.GroupNorm(groups, widths[-1]),
            nn.SiLU(),
            nn.Conv2d(widths[-1], preset.bottleneck, 1),
            nn.Flatten(),
            nn.Linear(preset.bottleneck * preset.coarsest**2, preset.layers * preset.code),
            nn.Unflatten(1, (preset.layers, preset.code)),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images * 2 - 1)


class StyleAutoencoder(nn.Module):
    """Encoder and generator, trained as one: images (B, 1, size, size) to images and class logits."""

    def __init__(self, preset: DeepReconPreset):
        super().__init__()
        self.encoder = StyleEncoder(preset)
        self.generator = StyleGenerator(preset)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.generator(self.encoder(images))
