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
from .diffusion.sampler import Denoise, generate, invert
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
    stop_log_snr: float = 1.5

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
    return SliceGenerator(model, slices, distances, options, progress).images(wanted)


class SliceGenerator:
    """One frame's slices, inverted, and what is made of their latents; arguments as in `generate_slices`."""

    def __init__(
        self,
        model: Model,
        slices: Slices,
        distances: Distances,
        options: GenerationOptions,
        progress: Progress = lambda stage, done, total: None,
    ):
        self._model, self._slices, self._order, self._progress = model, slices, options.order, progress
        self._aligned = options.rule == "aligned"
        self._stop = options.stop_log_snr / 2 if self._aligned else model.schedule.lam_min
        self._levels = model.schedule.grid(options.calls, self._stop)
        self._codes = SliceCodes.of(model, slices, distances, options.morphology)
        self._images = as_batch(slices.images * 2 - 1).to(model.device)
        self._latents = torch.empty_like(self._images)

        def invert_some(at: slice) -> None:
            denoise = model.denoise(self._codes.at(slices.positions[at]))
            self._latents[at] = invert(denoise, self._images[at], self._levels, self._order)
            progress("invert", at.stop, len(slices.images))

        model.in_batches(len(slices.images), invert_some)

    def images(self, wanted: np.ndarray) -> np.ndarray:
        """(Z, size, size) float32 in [0, 1] at ``wanted`` (Z,) mm."""
        out = np.empty((len(wanted), *self._images.shape[2:]), np.float32)

        def generate_some(at: slice) -> None:
            denoise = self._model.denoise(self._codes.at(wanted[at]))
            out[at] = self._generated(denoise, self._meeting(wanted[at]).start())
            self._progress("generate", at.stop, len(wanted))

        self._model.in_batches(len(wanted), generate_some)
        return out

    def spread(self, wanted: np.ndarray, samples: int) -> np.ndarray:
        """(Z, size, size) float32: the standard deviation of each pixel over ``samples`` plausible slices at
        ``wanted`` (Z,) mm, in the unit of the images; 0 at acquired slices. Draws from torch's generator.
        """
        out = np.empty((len(wanted), *self._images.shape[2:]), np.float32)

        def sample_some(at: slice) -> None:
            denoise, meeting = self._model.denoise(self._codes.at(wanted[at])), self._meeting(wanted[at])
            turns = np.linspace(-1, 1, samples + 1)[1:] - 1 / samples
            made = [self._generated(denoise, meeting.sample(turn)) for turn in turns]
            out[at] = np.std(made, axis=0)
            self._progress("sample", at.stop, len(wanted))

        self._model.in_batches(len(wanted), sample_some)
        return np.where((bracket(self._slices.positions, wanted)[2] > 0)[:, None, None], out, 0)

    def _generated(self, denoise: Denoise, start: Tensor) -> np.ndarray:
        made = generate(denoise, start, self._levels[::-1], self._order)
        return np.clip((made[:, 0].cpu().numpy() + 1) / 2, 0, 1)

    def _meeting(self, wanted: np.ndarray) -> Meeting:
        below, above, fraction = bracket(self._slices.positions, wanted)
        t = torch.from_numpy(fraction).to(self._model.device)
        if not self._aligned:
            nothing = torch.zeros_like(self._images[below])
            return Meeting((nothing, nothing), (self._latents[below], self._latents[above]), t)
        alpha, _ = alpha_sigma(self._stop)
        pairs = np.zeros((2, len(t), 2, *self._images.shape[2:]), np.float32)
        for index, (a, b, share) in enumerate(zip(below, above, fraction, strict=True)):
            if a != b:
                pairs[:, index] = self._slices.displacements(a, share)
        means, noises = [], []
        for side, moved in zip((below, above), torch.from_numpy(pairs).to(t.device), strict=True):
            means.append(alpha * warp(self._images[side], moved).clamp(-1, 1))
            noises.append(warp_noise(self._latents[side] - alpha * self._images[side], moved))
        return Meeting(tuple(means), tuple(noises), t)


@dataclass(frozen=True)
class Meeting:
    """What the two neighbours of N wanted slices bring.

    means, noises: (N, 1, H, W) each; by the paper's rule x_T is all noise. t: (N,), the fraction of the way
    from the first to the second.
    """

    means: tuple[Tensor, Tensor]
    noises: tuple[Tensor, Tensor]
    t: Tensor

    def start(self) -> Tensor:
        """Where denoising starts (N, 1, H, W): means on the straight line, noises on the sphere (eq. 6)."""
        return lerp(*self.means, self.t) + slerp(*self.noises, self.t)

    def sample(self, turn: float) -> Tensor:
        """A start as plausible: how the neighbours share in a slice is not known better than to within its
        distance from the nearer one, and its details are the less theirs the further away it is.

        turn: -1 to 1, which part of that range is taken.
        """
        doubt = torch.minimum(self.t, 1 - self.t)
        t = self.t + turn * doubt
        noise = slerp(*self.noises, t)
        drawn = torch.randn_like(noise) * noise.std(dim=(1, 2, 3), keepdim=True)
        return lerp(*self.means, t) + slerp(noise, drawn, 2 * doubt)


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
