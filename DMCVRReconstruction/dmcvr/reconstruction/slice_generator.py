"""DMCVR: the missing slices of a stack's frames from the latents of the acquired ones.

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

from ..core.errors import InputError
from ..core.positions import bracket
from ..model.batches import as_batch
from ..model.diffusion.interpolation import lerp, slerp, warp, warp_noise
from ..model.diffusion.sampler import Denoise, generate, invert
from ..model.diffusion.schedule import alpha_sigma
from ..model.inference import Codes, Model
from ..model.morphology import scale_distances
from .segmentation import bottleneck

Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)``."""
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
class Acquired:
    """The S slices of F frames in the model's window.

    images: (F, S, size, size) float32 in [0, 1]. positions: (S,) mm.
    maps: (F, S, 3, size, size), their nested distances in mm, of which only the "maps" form of the morphology
        code makes use.
    """

    images: np.ndarray
    positions: np.ndarray
    maps: np.ndarray | None = None


@dataclass(frozen=True)
class Wanted:
    """The places where Z slices of each of F frames are wanted.

    positions: (Z,) mm.
    maps: (F, Z, 3, size, size), the nested distances there in mm, where the acquired slices have theirs.
    moves: for the aligned rule (2, F, Z, 2, size, size), the displacements in pixels that warp the slice
        below and the one above, see `registration.displacements`.
    """

    positions: np.ndarray
    maps: np.ndarray | None = None
    moves: np.ndarray | None = None


def generate_slices(
    model: Model,
    acquired: Acquired,
    wanted: Wanted,
    options: GenerationOptions,
    progress: Progress = lambda stage, done, total: None,
) -> np.ndarray:
    """Images (F, Z, size, size) float32 in [0, 1] at the ``wanted`` places, acquired slices' own included.

    progress: told ("invert" or "generate", slices done, slices in all).
    """
    return SliceGenerator(model, acquired, options, progress).images(wanted)


class SliceGenerator:
    """The slices of some frames, inverted, and what is made of their latents; arguments as in
    `generate_slices`. Batches are filled with slices whichever frame they are of.
    """

    def __init__(
        self,
        model: Model,
        acquired: Acquired,
        options: GenerationOptions,
        progress: Progress = lambda stage, done, total: None,
    ):
        self._model, self._order, self._progress = model, options.order, progress
        self._aligned = options.rule == "aligned"
        self._stop = options.stop_log_snr / 2 if self._aligned else model.schedule.lam_min
        self._levels = model.schedule.grid(options.calls, self._stop)
        self._shape, self._positions = acquired.images.shape[:2], acquired.positions
        self._images = as_batch(_flat(acquired.images) * 2 - 1).to(model.device)
        self._codes = SliceCodes.of(model, acquired.images, options.morphology)
        self._latents = torch.empty_like(self._images)
        own = Places.of(self._shape, acquired.positions, Wanted(acquired.positions, acquired.maps))

        def invert_some(at: slice) -> None:
            denoise = model.denoise(self._codes.at(own.part(at)))
            self._latents[at] = invert(denoise, self._images[at], self._levels, self._order)
            progress("invert", at.stop, len(self._images))

        model.in_batches(len(self._images), invert_some)

    def images(self, wanted: Wanted) -> np.ndarray:
        """(F, Z, size, size) float32 in [0, 1]."""
        return self._over_places(
            wanted, "generate", lambda denoise, meeting: self._decoded(denoise, meeting.start())
        )

    def spread(self, wanted: Wanted, samples: int) -> np.ndarray:
        """(F, Z, size, size) float32: the standard deviation of each pixel over ``samples`` plausible slices,
        in the unit of the images; 0 at acquired slices. Draws from torch's generator, batch by batch.
        """
        turns = np.linspace(-1, 1, samples + 1)[1:] - 1 / samples

        def vary(denoise: Denoise, meeting: Meeting) -> np.ndarray:
            return np.std([self._decoded(denoise, meeting.sample(turn)) for turn in turns], axis=0)

        between = bracket(self._positions, wanted.positions)[2] > 0
        return np.where(between[:, None, None], self._over_places(wanted, "sample", vary), 0)

    def _over_places(
        self, wanted: Wanted, stage: str, make: Callable[[Denoise, Meeting], np.ndarray]
    ) -> np.ndarray:
        """(F, Z, size, size): what ``make`` gives of each batch of ``wanted`` places."""
        places = Places.of(self._shape, self._positions, wanted)
        out = np.empty((len(places.below), *self._images.shape[2:]), np.float32)

        def make_some(at: slice) -> None:
            part = places.part(at)
            out[at] = make(self._model.denoise(self._codes.at(part)), self._meeting(part))
            self._progress(stage, at.stop, len(out))

        self._model.in_batches(len(out), make_some)
        return out.reshape(self._shape[0], len(wanted.positions), *out.shape[1:])

    def _decoded(self, denoise: Denoise, start: Tensor) -> np.ndarray:
        made = generate(denoise, start, self._levels[::-1], self._order)
        return np.clip((made[:, 0].cpu().numpy() + 1) / 2, 0, 1)

    def _meeting(self, places: Places) -> Meeting:
        sides = places.below, places.above
        t = torch.from_numpy(places.fraction).to(self._model.device)
        if not self._aligned:
            nothing = torch.zeros_like(self._images[places.below])
            return Meeting((nothing, nothing), tuple(self._latents[side] for side in sides), t)
        alpha, _ = alpha_sigma(self._stop)
        means, noises = [], []
        for side, moved in zip(sides, torch.from_numpy(places.moves).to(t.device), strict=True):
            means.append(alpha * warp(self._images[side], moved).clamp(-1, 1))
            noises.append(warp_noise(self._latents[side] - alpha * self._images[side], moved))
        return Meeting(tuple(means), tuple(noises), t)


@dataclass(frozen=True)
class Places:
    """N places among the slices of all frames, which count through: slice s of frame f is number f S + s.

    below, above: (N,), the acquired slices about each. fraction: (N,), how far it is from the one to the
    other. maps, moves: (N, ...) and (2, N, ...), as in `Wanted`.
    """

    below: np.ndarray
    above: np.ndarray
    fraction: np.ndarray
    maps: np.ndarray | None
    moves: np.ndarray | None

    @classmethod
    def of(cls, shape: tuple[int, int], positions: np.ndarray, wanted: Wanted) -> Places:
        """The ``wanted`` places. shape: numbers of frames and slices. positions: (S,) mm of these."""
        frames, slices = shape
        below, above, fraction = bracket(positions, wanted.positions)
        first = slices * np.arange(frames)[:, None]
        return cls(
            (first + below).ravel(),
            (first + above).ravel(),
            np.tile(fraction, frames),
            None if wanted.maps is None else _flat(wanted.maps),
            None if wanted.moves is None else wanted.moves.reshape(2, -1, *wanted.moves.shape[3:]),
        )

    def part(self, at: slice) -> Places:
        """Some of the places."""
        return Places(
            self.below[at],
            self.above[at],
            self.fraction[at],
            None if self.maps is None else self.maps[at],
            None if self.moves is None else self.moves[:, at],
        )


def _flat(array: np.ndarray) -> np.ndarray:
    """(F * S, ...) of (F, S, ...)."""
    return array.reshape(-1, *array.shape[2:])


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
    """The codes of the acquired slices, and by eq. 5 those between them.

    semantic: (N, D), l_sem. features: (N, C, h, w), the "bottleneck" form of l_mor. takes_maps: whether l_mor
    has its "maps" form. With neither l_mor is withheld.
    """

    semantic: Tensor
    features: Tensor | None
    takes_maps: bool

    @classmethod
    def of(cls, model: Model, images: np.ndarray, morphology: bool) -> SliceCodes:
        """The codes of images (F, S, size, size) in the form the preset takes; without ``morphology``, l_sem
        alone.
        """
        kind = model.preset.morphology if morphology else None
        return cls(
            model.encode(as_batch(_flat(images) * 2 - 1)),
            bottleneck(model, images) if kind == "bottleneck" else None,
            kind == "maps",
        )

    def at(self, places: Places) -> Codes:
        """The codes at some places; at an acquired slice's its own."""
        t = torch.from_numpy(places.fraction).to(self.semantic.device)
        morphology = None
        if self.features is not None:
            morphology = lerp(self.features[places.below], self.features[places.above], t)
        elif self.takes_maps:
            morphology = scale_distances(places.maps).to(self.semantic.device)
        return Codes(lerp(self.semantic[places.below], self.semantic[places.above], t), morphology)
