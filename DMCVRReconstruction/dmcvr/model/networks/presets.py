"""Sizes of the networks as frozen dataclasses, saved as JSON beside the weights. Imports no torch.

`PAPER` follows the published configuration of DMCVR (DiffAE for 256x256 images, MedFormer as for ACDC).
`COMPACT` is the shipped default, sized for a laptop CPU: its width sits where the resolution is low.
`DIFFAE` is the same without a morphology code.
"""

from __future__ import annotations

import dataclasses
from dataclasses import asdict, dataclass, replace

# The U-Net level, counted from full resolution, that has the resolution of the segmenter's bottleneck (1/16).
BOTTLENECK_LEVEL = 4
LARGEST, DEEPEST = 4096, 16
"""The largest number in a preset that is read from a file, and the most levels or blocks."""


@dataclass(frozen=True)
class MedFormerConfig:
    """Segmentation network (Gao et al., MedFormer, 2D). Channels are base x 1, 2, 4, 8, 16 at 1, 1/2 .. 1/16.

    blocks: attention blocks at each resolution from 1/4 to 1/16 on the way down, the same on the way up.
    heads: attention heads at 1/4, 1/8, 1/16.
    map_size: side of the square semantic map that stands for a whole feature map.
    norm: "batch" (the published network) or "group" (same in training and inference, for any batch size).
    auxiliary: whether there is a second head at 1/4 resolution, for deep supervision.
    patch: pixels along the square that the stem folds into channels and the head unfolds again; every
        resolution above is divided by it, and so by its square is the cost.
    context: neighbouring slices on each side that the network sees beside the one it labels.
    """

    base: int
    heads: tuple[int, int, int]
    fusion_size: int
    fusion_heads: int
    blocks: int = 2
    fusion_blocks: int = 2
    map_size: int = 3
    expansion: int = 2
    norm: str = "batch"
    groups: int = 8
    classes: int = 4
    auxiliary: bool = True
    patch: int = 1
    context: int = 0

    def __post_init__(self):
        if self.norm not in ("batch", "group"):
            raise ValueError(f"norm must be 'batch' or 'group', not {self.norm!r}.")

    @property
    def features(self) -> int:
        """Channels of the bottleneck, l_mor in the paper."""
        return 16 * self.base

    @property
    def stride(self) -> int:
        """Pixels of the input along one of the bottleneck; the input's sides are multiples of it."""
        return 16 * self.patch

    @property
    def slices(self) -> int:
        """Channels of the input: a slice and its neighbours, in the order of the stack."""
        return 1 + 2 * self.context


@dataclass(frozen=True)
class ResidualUNetConfig:
    """Segmentation network: a residual U-Net, whose levels are at 1, 1/2, 1/4 .. of the folded image.

    widths: channels of each level. blocks: residual blocks of each level on the way down; one on the way up.
    auxiliary: whether there is a second head at level 1, for deep supervision.
    patch, context, classes: as in `MedFormerConfig`.
    """

    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    classes: int = 4
    auxiliary: bool = True
    patch: int = 2
    context: int = 1

    def __post_init__(self):
        if len(self.widths) < 3 or len(self.blocks) != len(self.widths) or min(self.blocks) < 1:
            raise ValueError("widths and blocks must have one entry a level, for three levels or more.")

    @property
    def features(self) -> int:
        """Channels of the bottleneck, l_mor in the paper."""
        return self.widths[-1]

    @property
    def stride(self) -> int:
        """Pixels of the input along one of the bottleneck; the input's sides are multiples of it."""
        return self.patch * 2 ** (len(self.widths) - 1)

    @property
    def slices(self) -> int:
        """Channels of the input: a slice and its neighbours, in the order of the stack."""
        return 1 + 2 * self.context


@dataclass(frozen=True)
class SemanticConfig:
    """Semantic encoder E_sem: a half U-Net pooled to one vector (Preechakul et al., DiffAE).

    multipliers: channels of each level as multiples of base, from full resolution; each level halves it.
    blocks: residual blocks a level.
    attention_levels: levels with self-attention; the deepest always has one between its last two blocks.
    size: length of l_sem.
    """

    base: int
    multipliers: tuple[int, ...]
    size: int
    blocks: int = 2
    attention_levels: tuple[int, ...] = ()
    heads: int = 1
    groups: int = 32


@dataclass(frozen=True)
class DenoiserConfig:
    """Conditional denoising U-Net (DiffAE's BeatGANs U-Net with the morphology code of DMCVR).

    multipliers: channels of each level as multiples of base, from full resolution.
    encoder_blocks, decoder_blocks: residual blocks of each level. A level's decoder blocks take its skip
        connections from the last to the first (one for the level's input and one for each encoder block).
    attention_levels: levels with self-attention; the middle always has it.
    semantic_size: length of l_sem. embedding_size: length of the time embedding.
    time_scale, time_period: the embedding's frequencies run from time_scale down to time_scale / time_period,
        in radians a unit of the network's time.
    residual_resample: whether residual blocks halve and double the resolution, as in BeatGANs; otherwise
        plain pooling and a 1x1 convolution with nearest-neighbour upsampling do.
    morphology: "bottleneck" (the paper: the segmenter's features at 1/16 join the block that leaves that
        resolution), "maps" (images of the anatomy at full resolution enter every residual block) or None.
    morphology_channels: channels of the morphology code.
    """

    base: int
    multipliers: tuple[int, ...]
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    attention_levels: tuple[int, ...]
    semantic_size: int
    embedding_size: int
    time_scale: float
    time_period: float
    morphology: str | None
    morphology_channels: int
    heads: int = 1
    groups: int = 32
    dropout: float = 0.0
    residual_resample: bool = True

    def __post_init__(self):
        if not len(self.multipliers) == len(self.encoder_blocks) == len(self.decoder_blocks):
            raise ValueError("multipliers, encoder_blocks and decoder_blocks must have one entry a level.")
        if self.morphology not in ("bottleneck", "maps", None):
            raise ValueError(f"morphology must be 'bottleneck', 'maps' or None, not {self.morphology!r}.")
        deep = len(self.multipliers) > BOTTLENECK_LEVEL + 1
        if self.morphology == "bottleneck" and not (deep and self.residual_resample):
            raise ValueError("The bottleneck code needs residual_resample and at least six levels.")


@dataclass(frozen=True)
class ShiftEstimatorConfig:
    """Shift estimator: breath-hold shifts of slices from their shapes.

    widths: channels of each level of the 3D convolutions; the first is at half the lattice's resolution in
        plane, each further one halves it. code: channels along the stack. dilations: of the convolutions
        there.
    """

    widths: tuple[int, ...] = (24, 32, 48, 72)
    code: int = 128
    dilations: tuple[int, ...] = (1, 2, 1)
    groups: int = 8


@dataclass(frozen=True)
class ShapeCompleterConfig:
    """Shape completer: the dense shape of the heart from that of its slices.

    widths: channels of each level, the first at half the lattice's resolution in plane.
    """

    widths: tuple[int, ...] = (24, 40, 72)
    groups: int = 8


OPTIONAL_PARTS = ("shifts", "shape")
"""Networks that a preset may do without."""
FORMER_PARTS = ("interpolator",)
"""Networks of earlier model folders, which are passed over."""


@dataclass(frozen=True)
class Preset:
    """Everything that fixes a model but its weights.

    image_size: side of the square model grid in pixels.
    spacing_mm: its pixel size; None keeps the stack's own.
    schedule: "linear-beta" (network time is the step index 0..999) or "log-snr" (it is log(alpha^2/sigma^2)).
    prediction: what the denoiser returns, "epsilon" or "v".
    shifts: None cannot tell slices' breath-hold shifts from their shapes.
    shape: None leaves shapes between slices on the straight line of eq. 5, and ends them with the stack.
    """

    name: str
    image_size: int
    spacing_mm: float | None
    segmenter: MedFormerConfig | ResidualUNetConfig
    semantic: SemanticConfig
    denoiser: DenoiserConfig
    schedule: str
    prediction: str
    shifts: ShiftEstimatorConfig | None = None
    shape: ShapeCompleterConfig | None = None

    def __post_init__(self):
        if self.schedule not in ("linear-beta", "log-snr"):
            raise ValueError(f"schedule must be 'linear-beta' or 'log-snr', not {self.schedule!r}.")
        if self.prediction not in ("epsilon", "v"):
            raise ValueError(f"prediction must be 'epsilon' or 'v', not {self.prediction!r}.")

    @property
    def parts(self) -> tuple[str, ...]:
        """The files of weights in a bundle."""
        return ("segmenter", "generator", *(part for part in OPTIONAL_PARTS if getattr(self, part)))

    @property
    def morphology(self) -> str | None:
        """Form of the morphology code, as in `DenoiserConfig`."""
        return self.denoiser.morphology

    @property
    def pixel_mm(self) -> float:
        """`spacing_mm` of a preset that fixes it. Raises ValueError where it is left to the stack."""
        if self.spacing_mm is None:
            raise ValueError(f"The preset {self.name} does not fix the pixels' size.")
        return self.spacing_mm


def to_dict(preset: Preset) -> dict:
    """The preset as plain values that ``json`` can write."""
    return asdict(preset)


def from_dict(values: dict) -> Preset:
    """The preset of `to_dict`, also after a trip through JSON.

    FORMER_PARTS are passed over. Other unknown or missing keys raise ValueError, and so do values of another
    type or beyond LARGEST and DEEPEST, with which a network would take ages to build.
    """
    parts = {
        "segmenter": ResidualUNetConfig if "widths" in values.get("segmenter", {}) else MedFormerConfig,
        "semantic": SemanticConfig,
        "denoiser": DenoiserConfig,
        "shifts": ShiftEstimatorConfig,
        "shape": ShapeCompleterConfig,
    }
    absent = {key for key in OPTIONAL_PARTS if values.get(key) is None}
    return build_config(
        Preset,
        {
            key: build_config(parts[key], value) if key in parts and key not in absent else value
            for key, value in values.items()
            if key not in FORMER_PARTS
        },
    )


def build_config(kind: type, values: dict):
    """A configuration of ``values`` as JSON holds them. Raises ValueError as `from_dict` does."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(values) - set(fields))
    missing = sorted(
        name for name, field in fields.items() if field.default is dataclasses.MISSING and name not in values
    )
    if unknown or missing:
        raise ValueError(f"{kind.__name__}: unknown keys {unknown}, missing keys {missing}.")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    for key, value in values.items():
        if not _plausible(value, str(fields[key].type), DEEPEST if key.endswith("blocks") else LARGEST):
            raise ValueError(f"{kind.__name__}: {key} is not of type {fields[key].type}, or too large.")
    return kind(**values)


def _plausible(value, form: str, most: int) -> bool:
    """Whether a value is what a field's type says, ``form`` as written above."""
    if value is None:
        return form.endswith(" | None")
    form = form.removesuffix(" | None")
    if form.startswith("tuple"):
        return (
            isinstance(value, tuple)
            and len(value) <= DEEPEST
            and all(_plausible(item, "int", most) for item in value)
        )
    if form == "int":
        return type(value) is int and 0 <= value <= most
    if form == "float":
        return type(value) in (int, float) and 0 <= value < float("inf")
    return type(value).__name__ in form.split(" | ")


PAPER = Preset(
    name="paper",
    image_size=256,
    spacing_mm=None,
    segmenter=MedFormerConfig(base=32, heads=(4, 8, 16), fusion_size=512, fusion_heads=16),
    semantic=SemanticConfig(base=128, multipliers=(1, 1, 2, 2, 4, 4, 4), size=512, attention_levels=(4,)),
    denoiser=DenoiserConfig(
        base=128,
        multipliers=(1, 1, 2, 2, 4, 4),
        encoder_blocks=(2,) * 6,
        decoder_blocks=(3,) * 6,
        attention_levels=(4,),
        semantic_size=512,
        embedding_size=512,
        time_scale=1.0,
        time_period=10000.0,
        morphology="bottleneck",
        morphology_channels=512,
        dropout=0.1,
    ),
    schedule="linear-beta",
    prediction="epsilon",
)

COMPACT = Preset(
    name="compact",
    image_size=128,
    spacing_mm=1.5,
    segmenter=ResidualUNetConfig(widths=(32, 64, 128, 192, 256), blocks=(1, 2, 2, 1, 1)),
    semantic=SemanticConfig(base=16, multipliers=(1, 2, 4, 8, 12), size=128, blocks=1, heads=4, groups=8),
    denoiser=DenoiserConfig(
        base=32,
        multipliers=(1, 2, 4, 6, 8),
        encoder_blocks=(1, 1, 1, 1, 1),
        decoder_blocks=(1, 1, 1, 2, 2),
        attention_levels=(4,),
        semantic_size=128,
        embedding_size=256,
        # Log-SNR runs over about [-9, 9]: the fastest wave must span about one unit, the slowest the range.
        time_scale=5.0,
        time_period=1000.0,
        morphology="maps",
        morphology_channels=3,
        heads=4,
        groups=8,
        residual_resample=False,
    ),
    schedule="log-snr",
    prediction="v",
    shifts=ShiftEstimatorConfig(),
    shape=ShapeCompleterConfig(),
)

DIFFAE = replace(
    COMPACT,
    name="diffae",
    denoiser=replace(COMPACT.denoiser, morphology=None, morphology_channels=0),
    shifts=None,
    shape=None,
)
"""`COMPACT` without a morphology code: the paper's ablation, at the same budget."""

PRESETS = {preset.name: preset for preset in (PAPER, COMPACT, DIFFAE)}
