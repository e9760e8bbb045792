"""E_mor and D_mor: MedFormer in 2D (Gao et al. 2022, a data-scalable transformer for medical images).

Each feature map is accompanied by a small semantic map (map_size x map_size codes pooled from it by learned
weights). Attention runs both ways between the two, so its cost grows with the number of pixels, not with its
square. The maps of all scales are fused by a transformer and guide the decoder.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import conv3
from .presets import MedFormerConfig


def _norm(config: MedFormerConfig, channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels) if config.norm == "batch" else nn.GroupNorm(config.groups, channels)


def _separable(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_in, 3, padding=1, groups=channels_in, bias=False),
        nn.Conv2d(channels_in, channels_out, 1, bias=False),
    )


class ConvBlock(nn.Module):
    """Pre-activation residual block of two 3x3 convolutions."""

    def __init__(self, config: MedFormerConfig, channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            _norm(config, channels),
            nn.ReLU(),
            conv3(channels, channels, bias=False),
            _norm(config, channels),
            nn.ReLU(),
            conv3(channels, channels, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class FeedForward(nn.Module):
    """Inverted residual with squeeze and excitation (MBConv), pre-activation."""

    def __init__(self, config: MedFormerConfig, channels: int):
        super().__init__()
        wide = config.expansion * channels
        self.expand = nn.Sequential(
            _norm(config, channels),
            nn.ReLU(),
            nn.Conv2d(channels, wide, 1, bias=False),
            _norm(config, wide),
            nn.ReLU(),
            nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False),
        )
        self.excite = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(wide, wide // 4, 1),
            nn.ReLU(),
            nn.Conv2d(wide // 4, wide, 1),
            nn.Sigmoid(),
        )
        self.reduce = nn.Sequential(_norm(config, wide), nn.Conv2d(wide, channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        h = self.expand(x)
        return x + self.reduce(h * self.excite(h))


class AttentionBlock(nn.Module):
    """Bidirectional attention between features (B, C, H, W) and semantic map (B, C, m, m), then feed-forward.

    returns_map: whether the map is updated too; the decoder's last map has no reader.
    """

    def __init__(self, config: MedFormerConfig, channels: int, heads: int, returns_map: bool = True):
        super().__init__()
        self.heads = heads
        self.norm_features, self.norm_map = _norm(config, channels), _norm(config, channels)
        self.features_in = _separable(channels, (2 if returns_map else 1) * channels)
        self.map_in = nn.Conv2d(channels, 2 * channels, 1, bias=False)
        self.features_out = _separable(channels, channels)
        self.map_out = nn.Conv2d(channels, channels, 1, bias=False) if returns_map else None
        self.feed_forward = FeedForward(config, channels)

    def _split(self, x: Tensor, parts: int) -> tuple[Tensor, ...]:
        """(B, parts * C, h, w) to ``parts`` tensors (B, heads, h * w, C / heads)."""
        tokens = x.flatten(2).transpose(1, 2).unflatten(2, (parts, self.heads, -1))
        return tokens.permute(2, 0, 3, 1, 4).unbind(0)

    def forward(self, features: Tensor, semantic_map: Tensor) -> tuple[Tensor, Tensor | None]:
        both = self.map_out is not None
        feature_query, *feature_value = self._split(
            self.features_in(self.norm_features(features)), 2 if both else 1
        )
        map_query, map_value = self._split(self.map_in(self.norm_map(semantic_map)), 2)
        attended = F.scaled_dot_product_attention(feature_query, map_query, map_value)
        attended = attended.transpose(2, 3).reshape(features.shape)
        out = self.feed_forward(features + self.features_out(attended))
        if self.map_out is None:
            return out, None
        attended = F.scaled_dot_product_attention(map_query, feature_query, feature_value[0])
        return out, semantic_map + self.map_out(attended.transpose(2, 3).reshape(semantic_map.shape))


class PatchMerging(nn.Module):
    """Halves the resolution: the four pixels of a 2x2 patch become channels, then a separable convolution."""

    def __init__(self, config: MedFormerConfig, channels_in: int, channels_out: int):
        super().__init__()
        self.norm = _norm(config, 4 * channels_in)
        self.reduce = _separable(4 * channels_in, channels_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.reduce(self.norm(F.pixel_unshuffle(x, 2)))


class MapGeneration(nn.Module):
    """Features (B, C, H, W) to a semantic map (B, C, m, m): codes are weighted means over the image."""

    def __init__(self, channels: int, map_size: int):
        super().__init__()
        self.map_size = map_size
        self.values = conv3(channels, channels, bias=False)
        self.weights = conv3(channels, map_size**2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        weights = self.weights(x).flatten(2).softmax(dim=2)
        codes = self.values(x).flatten(2) @ weights.transpose(1, 2)
        return codes.unflatten(2, (self.map_size, self.map_size))


class MapFusion(nn.Module):
    """Mixes the semantic maps of all scales by a transformer; takes and returns one map a scale."""

    def __init__(self, config: MedFormerConfig, channels: list[int]):
        super().__init__()
        size = config.fusion_size
        self.inward = nn.ModuleList(nn.Conv2d(c, size, 1, bias=False) for c in channels)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                size,
                config.fusion_heads,
                dim_feedforward=size,
                dropout=0.0,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(config.fusion_blocks)
        )
        self.outward = nn.ModuleList(nn.Conv2d(size, c, 1, bias=False) for c in channels)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        side = maps[0].shape[-1]
        tokens = [project(m).flatten(2).transpose(1, 2) for project, m in zip(self.inward, maps, strict=True)]
        mixed = torch.cat(tokens, dim=1)
        for block in self.blocks:
            mixed = block(mixed)
        fused = [part.transpose(1, 2).unflatten(2, (side, side)) for part in mixed.chunk(len(maps), dim=1)]
        return [project(m) for project, m in zip(self.outward, fused, strict=True)]


class AttentionDown(nn.Module):
    """One encoder scale with attention; returns its features and its semantic map."""

    def __init__(self, config: MedFormerConfig, channels_in: int, channels_out: int, heads: int):
        super().__init__()
        self.merge = PatchMerging(config, channels_in, channels_out)
        self.generate = MapGeneration(channels_out, config.map_size)
        self.blocks = nn.ModuleList(AttentionBlock(config, channels_out, heads) for _ in range(config.blocks))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.merge(x)
        semantic_map = self.generate(x)
        for block in self.blocks:
            x, semantic_map = block(x, semantic_map)
        return x, semantic_map


class Merge(nn.Module):
    """Joins low-resolution features with the encoder's at double the resolution."""

    def __init__(self, config: MedFormerConfig, low: int, high: int):
        super().__init__()
        self.norm = _norm(config, low + high)
        self.reduce = nn.Conv2d(low + high, high, 1, bias=False)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        low = F.interpolate(low, size=high.shape[2:], mode="bilinear", align_corners=False)
        return self.reduce(self.norm(torch.cat([low, high], dim=1)))


class AttentionUp(nn.Module):
    """One decoder scale with attention; the last one returns no map."""

    def __init__(self, config: MedFormerConfig, low: int, high: int, heads: int, last: bool):
        super().__init__()
        self.merge = Merge(config, low, high)
        self.reduce_map = nn.Conv2d(low + high, high, 1, bias=False)
        self.blocks = nn.ModuleList(
            AttentionBlock(config, high, heads, returns_map=not (last and i == config.blocks - 1))
            for i in range(config.blocks)
        )

    def forward(
        self, low: Tensor, high: Tensor, low_map: Tensor, high_map: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        x = self.merge(low, high)
        semantic_map = self.reduce_map(torch.cat([low_map, high_map], dim=1))
        for block in self.blocks:
            x, semantic_map = block(x, semantic_map)
        return x, semantic_map


class ConvUp(nn.Module):
    """One decoder scale of plain convolutions."""

    def __init__(self, config: MedFormerConfig, low: int, high: int):
        super().__init__()
        self.merge = Merge(config, low, high)
        self.blocks = nn.Sequential(ConvBlock(config, high), ConvBlock(config, high))

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        return self.blocks(self.merge(low, high))


def _head(config: MedFormerConfig, channels: int) -> nn.Module:
    """Features to logits at the resolution of the input."""
    if config.patch == 1:
        return nn.Conv2d(channels, config.classes, 1)
    return nn.Sequential(conv3(channels, config.classes * config.patch**2), nn.PixelShuffle(config.patch))


class MedFormer(nn.Module):
    """Slices (B, config.slices, H, W) in [0, 1] to class logits (B, classes, H, W).

    The middle channel is the slice to label, those before and after it are its neighbours in the stack; a
    neighbour there is none of is 0 everywhere. H and W are multiples of ``config.stride``.
    """

    def __init__(self, config: MedFormerConfig):
        super().__init__()
        self.config = config
        c0, c1, c2, c3, c4 = (config.base * factor for factor in (1, 2, 4, 8, 16))
        h2, h3, h4 = config.heads
        self.stem = nn.Sequential(
            conv3(config.slices * config.patch**2, c0, bias=False), ConvBlock(config, c0)
        )
        self.down1 = nn.Sequential(PatchMerging(config, c0, c1), ConvBlock(config, c1), ConvBlock(config, c1))
        self.down2 = AttentionDown(config, c1, c2, h2)
        self.down3 = AttentionDown(config, c2, c3, h3)
        self.down4 = AttentionDown(config, c3, c4, h4)
        self.fusion = MapFusion(config, [c2, c3, c4])
        self.up1 = AttentionUp(config, c4, c3, h3, last=False)
        self.up2 = AttentionUp(config, c3, c2, h2, last=True)
        self.up3 = ConvUp(config, c2, c1)
        self.up4 = ConvUp(config, c1, c0)
        self.head = _head(config, c0)
        self.auxiliary_head = nn.Conv2d(c2, config.classes, 1) if config.auxiliary else None

    def _encode(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Features at strides 1, 2, 4, 8, 16 and semantic maps at strides 4, 8, 16."""
        stride = self.config.stride
        if x.shape[2] % stride or x.shape[3] % stride:
            raise ValueError(f"MedFormer takes sides divisible by {stride}, not {tuple(x.shape[2:])}.")
        x0 = self.stem(F.pixel_unshuffle(x, self.config.patch))
        x1 = self.down1(x0)
        x2, map2 = self.down2(x1)
        x3, map3 = self.down3(x2)
        x4, map4 = self.down4(x3)
        return [x0, x1, x2, x3, x4], [map2, map3, map4]

    def _decode(self, features: list[Tensor], maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Logits (B, classes, H, W) and the features (B, C, H/4, W/4) that the auxiliary head reads."""
        x0, x1, x2, x3, x4 = features
        map2, map3, map4 = self.fusion(maps)
        y, semantic_map = self.up1(x4, x3, map4, map3)
        middle, _ = self.up2(y, x2, semantic_map, map2)
        return self.head(self.up4(self.up3(middle, x1), x0)), middle

    @torch.no_grad()
    def shift_scores(self, offsets: Tensor) -> None:
        """Add ``offsets`` (classes,) to all logits, for good."""
        last = self.head[0] if isinstance(self.head, nn.Sequential) else self.head
        assert isinstance(last, nn.Conv2d)  # as `_head` makes it
        assert last.bias is not None
        last.bias += offsets.repeat_interleave(self.config.patch**2)

    def encode(self, x: Tensor) -> Tensor:
        """The bottleneck (B, config.features, H/16, W/16), l_mor in the paper."""
        return self._encode(x)[0][-1]

    def segment_and_encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and bottleneck from one pass."""
        features, maps = self._encode(x)
        return self._decode(features, maps)[0], features[-1]

    def forward(self, x: Tensor, auxiliary: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """Logits; with ``auxiliary`` also the auxiliary head's logits, upsampled to the same shape."""
        logits, middle = self._decode(*self._encode(x))
        if not auxiliary:
            return logits
        if self.auxiliary_head is None:
            raise ValueError("This MedFormer was built without an auxiliary head.")
        second = self.auxiliary_head(middle)
        return logits, F.interpolate(second, size=x.shape[2:], mode="bilinear", align_corners=False)
