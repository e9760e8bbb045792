"""A model's sizes, for what needs a network and not what it has learned."""

from dataclasses import replace

from dmcvr.model.networks.presets import (
    COMPACT,
    MedFormerConfig,
    ResidualUNetConfig,
    ShapeCompleterConfig,
    ShiftEstimatorConfig,
)

TINY = replace(
    COMPACT,
    name="tiny",
    image_size=32,
    spacing_mm=6.0,
    segmenter=ResidualUNetConfig(widths=(4, 8, 8), blocks=(1, 1, 1)),
    semantic=replace(COMPACT.semantic, base=8, multipliers=(1, 2), size=16, heads=2, groups=4),
    denoiser=replace(
        COMPACT.denoiser,
        base=8,
        multipliers=(1, 2),
        encoder_blocks=(1, 1),
        decoder_blocks=(1, 1),
        attention_levels=(),
        semantic_size=16,
        embedding_size=16,
        heads=2,
        groups=4,
        dropout=0.1,
    ),
    shifts=ShiftEstimatorConfig(widths=(8, 8), code=8, dilations=(1,), groups=4),
    shape=ShapeCompleterConfig(widths=(8, 8), groups=4),
)
"""The compact preset, narrowed until a step of training takes milliseconds: 32 pixels of 6 mm."""

TINY_MEDFORMER = MedFormerConfig(
    base=4, heads=(1, 2, 4), fusion_size=16, fusion_heads=2, blocks=1, fusion_blocks=1, groups=4
)
"""The segmenter of the paper's kind, as narrow; with batch norm."""
