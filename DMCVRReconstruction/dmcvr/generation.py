"""DMCVR: the missing slices of one frame from the latents of the acquired ones.

Two rules say how the latents of two neighbours meet.

``paper``: each slice is inverted all the way to x_T; x_T is interpolated on the sphere (eq. 6), l_sem and
l_mor on the straight line (eq. 5), and the triple is decoded.

``aligned``: details of two neighbours belong to different places, so both are first registered and warped to
the wanted position. Their blend is the mean of the new slice. Both are inverted only part of the way, under
the interpolated codes; what they hold beyond the noise-free part is interpolated on the sphere about that
mean, and denoised. A slice costs three times ``steps`` network calls, so fewer steps are the default than for
``paper``, where it costs ``steps`` and the inversion of the acquired slices comes on top.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .baselines.registration import align, warp_pair
from .diffusion.interpolation import lerp, slerp
from .diffusion.sampler import generate, invert
from .diffusion.schedule import alpha_sigma
from .errors import InputError
from .model import Codes, Model, as_batch
from .morphology import scale_distances
from .positions import bracket
from .segmentation import bottleneck

Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)``."""
Distances = Callable[[np.ndarray], np.ndarray]
RULE_STEPS = {"aligned": 5, "paper": 10}
"""Network calls each way where none are asked for; the aligned rule goes half of the way only."""


@dataclass(frozen=True)
class GenerationOptions:
    """How slices are generated.

    steps: network calls of an inversion, and as many of a generation; None takes the rule's own number.
    rule: "aligned" or "paper", see the module.
    morphology: False withholds l_mor, which is the method DiffAE.
    order: 2 for the multistep sampler, 1 for DDIM.
    stop_log_snr: where the aligned rule's inversion stops; lower is sharper and less true.
    """

    steps: int | None = None
    rule: str = "aligned"
    morphology: bool = True
    order: int = 2
    stop_log_snr: float = 0.0

    def __post_init__(self):
        if self.rule not in RULE_STEPS:
            raise InputError(f"There is no rule {self.rule!r}; choose one of {', '.join(RULE_STEPS)}.")
        if self.steps is not None and self.steps < 1:
            raise InputError("The number of steps must be at least 1.")

    @property
    def calls(self) -> int:
        """Network calls each way."""
        return self.steps or RULE_STEPS[self.rule]


@dataclass(frozen=True)
class Slices:
    """What is known of one frame in the model's window.

    images: (S, size, size) float32 in [0, 1]. positions: (S,) mm. spacing: mm a pixel.
    """

    images: np.ndarray
    positions: np.ndarray
    spacing: float


def generate_slices(
    model: Model,
    slices: Slices,
    wanted: np.ndarray,
    distances: Distances,
    options: GenerationOptions,
    progress: Progress = lambda stage, done, total: None,
) -> np.ndarray:
    """Images (Z, size, size) float32 in [0, 1] at the positions ``wanted`` (Z,) mm, acquired ones included if
    asked for.

    distances: gives the interpolated nested distances (N, 3, size, size) in mm at positions (N,), for the
        "maps" form of the morphology code.
    progress: told ("invert" or "generate", slices done, slices in all).
    """
    codes = SliceCodes.of(model, slices, distances, options.morphology)
    make = {"aligned": _aligned, "paper": _paper}[options.rule]
    result = make(model, slices, codes, wanted, options, progress)
    return np.clip((result[:, 0] + 1) / 2, 0, 1)


@dataclass(frozen=True)
class SliceCodes:
    """l_sem and l_mor of the acquired slices, and by eq. 5 between them.

    positions: (S,) mm. semantic: (S, D). features: (S, C, h, w), the "bottleneck" form of l_mor. distances:
    gives its "maps" form at any positions. Without either l_mor is withheld.
    """

    positions: np.ndarray
    semantic: Tensor
    features: Tensor | None
    distances: Distances | None

    @classmethod
    def of(cls, model: Model, slices: Slices, distances: Distances, morphology: bool) -> SliceCodes:
        """The codes of ``slices`` in the form the preset takes; without ``morphology``, l_sem alone."""
        kind = model.preset.morphology if morphology else None
        return cls(
            slices.positions,
            model.encode(as_batch(slices.images * 2 - 1)),
            bottleneck(model, slices.images) if kind == "bottleneck" else None,
            distances if kind == "maps" else None,
        )

    def at(self, wanted: np.ndarray) -> Codes:
        """The codes at the positions ``wanted`` (Z,) mm; at an acquired slice's position its own."""
        below, above, fraction = bracket(self.positions, wanted)
        t = torch.from_numpy(fraction).to(self.semantic.device)
        morphology = None
        if self.features is not None:
            morphology = lerp(self.features[below], self.features[above], t)
        elif self.distances is not None:
            morphology = scale_distances(self.distances(wanted)).to(self.semantic.device)
        return Codes(lerp(self.semantic[below], self.semantic[above], t), morphology)


def _chunks(count: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def _paper(model, slices, codes, wanted, options, progress) -> np.ndarray:
    """Full inversion of every acquired slice, slerp of x_T, full generation."""
    levels = model.schedule.grid(options.calls)
    count, noise, out = len(slices.images), [], []
    for at in _chunks(count, model.batch):
        images = as_batch(slices.images[at] * 2 - 1).to(model.device)
        denoise = model.denoise(codes.at(slices.positions[at]))
        noise.append(invert(denoise, images, levels, options.order))
        progress("invert", at.stop, count)
    x_T = torch.cat(noise)
    for at in _chunks(len(wanted), model.batch):
        below, above, fraction = bracket(slices.positions, wanted[at])
        start = slerp(x_T[below], x_T[above], torch.from_numpy(fraction).to(model.device))
        denoise = model.denoise(codes.at(wanted[at]))
        out.append(generate(denoise, start, levels[::-1], options.order).cpu())
        progress("generate", at.stop, len(wanted))
    return torch.cat(out).numpy()


def _aligned(model, slices, codes, wanted, options, progress) -> np.ndarray:
    """Neighbours warped to the wanted position, partial inversion, noise slerped about their blend."""
    stop = options.stop_log_snr / 2
    alpha, _ = alpha_sigma(stop)
    levels = model.schedule.grid(options.calls, stop)
    fields: dict[int, np.ndarray] = {}
    out = []
    for at in _chunks(len(wanted), model.batch):
        brackets = bracket(slices.positions, wanted[at])
        pairs = [_warped(slices, *pair, fields) for pair in zip(*brackets, strict=True)]
        first, second = (
            as_batch(np.stack(side) * 2 - 1).to(model.device) for side in zip(*pairs, strict=True)
        )
        t = torch.from_numpy(brackets[2]).to(model.device)
        denoise = model.denoise(codes.at(wanted[at]))
        noise = [invert(denoise, side, levels, options.order) - alpha * side for side in (first, second)]
        start = alpha * lerp(first, second, t) + slerp(*noise, t)
        out.append(generate(denoise, start, levels[::-1], options.order).cpu())
        progress("generate", at.stop, len(wanted))
    return torch.cat(out).numpy()


def _warped(slices: Slices, below: int, above: int, t: float, fields: dict[int, np.ndarray]):
    """Two neighbouring images, both warped to the fraction ``t`` between them; one registration serves a
    whole gap.
    """
    if below == above:
        return slices.images[below], slices.images[below]
    if below not in fields:
        fields[below] = align(slices.images[below], slices.images[above], (slices.spacing, slices.spacing))
    return warp_pair(slices.images[below], slices.images[above], fields[below], t)
