"""E_sem: the half U-Net from a slice to the semantic vector l_sem (DiffAE, Preechakul et al. 2022)."""

from __future__ import annotations

from torch import Tensor, nn

from .blocks import ConvBlock, SelfAttention, conv3
from .presets import SemanticConfig


class SemanticEncoder(nn.Module):
    """Slice (B, 1, H, W) in [-1, 1] to l_sem (B, config.size); H and W multiples of 2 ** (levels - 1)."""

    def __init__(self, config: SemanticConfig):
        super().__init__()
        self.config = config
        widths = [config.base * multiplier for multiplier in config.multipliers]
        layers: list[nn.Module] = [conv3(1, widths[0])]
        channels = widths[0]
        for level, width in enumerate(widths):
            if level > 0:
                layers.append(ConvBlock(channels, channels, config.groups, "down"))
            for _ in range(config.blocks):
                layers.append(ConvBlock(channels, width, config.groups))
                channels = width
                if level in config.attention_levels:
                    layers.append(SelfAttention(channels, config.heads, config.groups))
        layers += [
            ConvBlock(channels, channels, config.groups),
            SelfAttention(channels, config.heads, config.groups),
            ConvBlock(channels, channels, config.groups),
        ]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.GroupNorm(config.groups, channels),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(channels, config.size),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(x))
