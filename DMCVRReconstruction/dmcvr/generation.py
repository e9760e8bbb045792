"""DMCVR: the missing slices of one frame from the latents of the acquired ones.

Every acquired slice is inverted once, under its own codes. At a wanted position l_sem and l_mor are
interpolated on the straight line (eq. 5); two rules say how the stochastic codes of the two neighbours meet.

``paper``: the inversion goes all the way to x_T, which is interpolated on the sphere (eq. 6) and decoded.

``aligned``: details of two neighbours belong to different places. The inversion goes part of the way only,
which leaves a noisy image: the slice itself, scaled, and its noise. Both are warped to the wanted position
along the neighbours' correspondence. There the two images blend, the noises are interpolated on the sphere,
and the sum is denoised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .diffusion.interpolation import lerp, slerp, warp, warp_noise
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
Displacements = Callable[[int, float], tuple[np.ndarray, np.ndarray]]
RULE_STEPS = {"aligned": 4, "paper": 10}
"""Network calls each way where none are asked for; the aligned rule goes part of the way only."""


@dataclass(frozen=True)
class GenerationOptions:
    """How slices are generated.

    steps: network calls of an inversion, and as many of a generation; None takes the rule's own number.
    rule: "aligned" or "paper", see the module.
    morphology: False withholds l_mor, which is the method DiffAE.
    order: 2 for the multistep sampler, 1 for DDIM.
    stop_log_snr: where the aligned rule's inversion stops; a lower one is sharper and less true.
    """

    steps: int | None = None
    rule: str = "aligned"
    morphology: bool = True
    order: int = 2
    stop_log_snr: float = 2.0

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
    displacements: for the aligned rule, from (below, t) to the two arrays (2, size, size) in pixels that warp
        slice ``below`` and the next to the fraction t between them, see `registration.displacements`.
    """

    images: np.ndarray
    positions: np.ndarray
    spacing: float
    displacements: Displacements | None = None


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
    stop = options.stop_log_snr / 2 if options.rule == "aligned" else model.schedule.lam_min
    levels = model.schedule.grid(options.calls, stop)
    images = as_batch(slices.images * 2 - 1).to(model.device)
    latents, out = torch.empty_like(images), torch.empty(len(wanted), *images.shape[1:])

    def invert_some(at: slice) -> None:
        denoise = model.denoise(codes.at(slices.positions[at]))
        latents[at] = invert(denoise, images[at], levels, options.order)
        progress("invert", at.stop, len(images))

    def generate_some(at: slice) -> None:
        brackets = bracket(slices.positions, wanted[at])
        if options.rule == "paper":
            start = _on_the_sphere(latents, *brackets)
        else:
            start = _aligned(images, latents, alpha_sigma(stop)[0], slices.displacements, *brackets)
        denoise = model.denoise(codes.at(wanted[at]))
        out[at] = generate(denoise, start, levels[::-1], options.order).cpu()
        progress("generate", at.stop, len(wanted))

    model.in_batches(len(images), invert_some)
    model.in_batches(len(wanted), generate_some)
    return np.clip((out[:, 0].numpy() + 1) / 2, 0, 1)


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


def _on_the_sphere(latents: Tensor, below: np.ndarray, above: np.ndarray, fraction: np.ndarray) -> Tensor:
    """x_T (N, 1, H, W) by eq. 6, ``fraction`` (N,) of the way from the slices ``below`` to ``above`` (N,)."""
    return slerp(latents[below], latents[above], torch.from_numpy(fraction).to(latents.device))


def _aligned(
    images: Tensor,
    latents: Tensor,
    alpha: float,
    displacements: Displacements,
    below: np.ndarray,
    above: np.ndarray,
    fraction: np.ndarray,
) -> Tensor:
    """Where denoising starts (N, 1, H, W) by the aligned rule, as in `_on_the_sphere`.

    images: (S, 1, H, W) in [-1, 1]. latents: theirs, at the noise level with this ``alpha``.
    """
    t = torch.from_numpy(fraction).to(images.device)
    pairs = np.zeros((2, len(t), 2, *images.shape[2:]), np.float32)
    for index, (a, b, share) in enumerate(zip(below, above, fraction, strict=True)):
        if a != b:
            pairs[:, index] = displacements(a, share)
    means, noises = [], []
    for side, moved in zip((below, above), torch.from_numpy(pairs).to(images.device), strict=True):
        means.append(warp(images[side], moved).clamp(-1, 1))
        noises.append(warp_noise(latents[side] - alpha * images[side], moved))
    return alpha * lerp(*means, t) + slerp(*noises, t)
