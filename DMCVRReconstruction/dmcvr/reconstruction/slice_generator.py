"""DMCVR: the missing slices of a stack's frames from the latents of the acquired ones.

At a wanted position l_sem and l_mor are interpolated on the straight line (eq. 5); two rules say how the
stochastic codes of the two neighbours are combined.

``paper``: the inversion goes all the way to x_T, which is interpolated on the sphere (eq. 6) and decoded.

``aligned``: details of two neighbours belong to different places. The inversion goes part of the way only,
which leaves a noisy image: the slice itself, scaled, and its noise. Both are warped to the wanted position
along the neighbours' correspondence. There the two images blend, the noises are interpolated on the sphere,
and the sum is denoised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core.positions import bracket
from ..core.progress import Progress, no_progress
from ..model.diffusion.interpolation import lerp, slerp, warp, warp_noise
from ..model.diffusion.sampler import Denoise, generate
from ..model.diffusion.schedule import alpha_sigma
from ..model.inference import Model
from .latents import Latents, SlicePairs, TargetSlices
from .options import Options


def generate_slices(
    model: Model,
    latents: Latents,
    targets: TargetSlices,
    options: Options,
    progress: Progress = no_progress,
) -> np.ndarray:
    """Images (F, Z, size, size) float32 in [0, 1] at the ``targets``, acquired slices' own included.

    options: those the latents were made with. progress: called with ("generate", slices done, slices in all).
    """

    def make(denoise: Denoise, pair: LatentPair, at: slice) -> np.ndarray:
        return _decoded(denoise, pair.start(), latents.levels.generation, options.order)

    return _at_targets(model, latents, targets, make, lambda done, total: progress("generate", done, total))


def sample_spread(
    model: Model,
    latents: Latents,
    targets: TargetSlices,
    options: Options,
    generator: torch.Generator,
    progress: Progress = no_progress,
) -> np.ndarray:
    """(F, Z, size, size) float32: the standard deviation of each pixel over ``options.samples`` plausible
    slices, in the unit of the images; 0 at acquired slices.

    generator: on the CPU; what is drawn for a slice depends neither on the device nor on the other slices of
    its batch. progress: called with ("sample", slices done, slices in all).
    """
    turns = np.linspace(-1, 1, options.samples + 1)[1:] - 1 / options.samples
    seed = int(torch.randint(2**62, (), generator=generator))

    def make(denoise: Denoise, pair: LatentPair, at: slice) -> np.ndarray:
        each = [torch.Generator().manual_seed(seed + index) for index in range(at.start, at.stop)]
        drawn = [
            _decoded(denoise, pair.sample(turn, each), latents.levels.generation, options.order)
            for turn in turns
        ]
        deviation: np.ndarray = np.std(drawn, axis=0)
        return deviation

    between = bracket(latents.positions, targets.positions)[2] > 0
    spread = _at_targets(model, latents, targets, make, lambda done, total: progress("sample", done, total))
    return np.where(between[:, None, None], spread, 0)


def _at_targets(
    model: Model,
    latents: Latents,
    targets: TargetSlices,
    make: Callable[[Denoise, LatentPair, slice], np.ndarray],
    progress: Callable[[int, int], None],
) -> np.ndarray:
    """(F, Z, size, size): what ``make`` gives of each batch of ``targets``, told which of all these are."""
    pairs = latents.pairs(targets)
    out = np.empty((len(pairs.below), *latents.images.shape[2:]), np.float32)

    def make_batch(at: slice) -> None:
        part = pairs.part(at)
        out[at] = make(model.denoise(latents.codes.at(part)), latent_pair(latents, part), at)

    model.in_batches(len(out), make_batch, lambda at: progress(at.stop, len(out)))
    return out.reshape(latents.shape[0], len(targets.positions), *out.shape[1:])


def _decoded(denoise: Denoise, start: Tensor, levels: tuple[float, ...], order: int) -> np.ndarray:
    """Images (N, size, size) in [0, 1] from where denoising starts, at the first of ``levels``."""
    made = generate(denoise, start, levels, order)
    return np.clip((made[:, 0].cpu().numpy() + 1) / 2, 0, 1)


def latent_pair(latents: Latents, pairs: SlicePairs) -> LatentPair:
    """What the two neighbours of each place bring to it."""
    sides = pairs.below, pairs.above
    t = torch.from_numpy(pairs.fraction).to(latents.images.device)
    if not latents.aligned:
        nothing = torch.zeros_like(latents.images[pairs.below])
        return LatentPair((nothing, nothing), (latents.noisy[sides[0]], latents.noisy[sides[1]]), t)
    alpha, _ = alpha_sigma(latents.levels.noisiest)
    means, noises = [], []
    for side, field in zip(sides, torch.from_numpy(pairs.displacements).to(t.device), strict=True):
        means.append(alpha * warp(latents.images[side], field).clamp(-1, 1))
        noises.append(warp_noise(latents.noisy[side] - alpha * latents.images[side], field))
    return LatentPair((means[0], means[1]), (noises[0], noises[1]), t)


@dataclass(frozen=True)
class LatentPair:
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

    def sample(self, turn: float, generators: Sequence[torch.Generator]) -> Tensor:
        """A start as plausible: how the neighbours share in a slice is not known better than to within its
        distance from the nearer one, and its details are the less theirs the further away it is.

        turn: -1 to 1, which part of that range is taken. generators: one a slice, on the CPU.
        """
        doubt = torch.minimum(self.t, 1 - self.t)
        t = self.t + turn * doubt
        noise = slerp(*self.noises, t)
        drawn = torch.stack(
            [torch.randn(noise.shape[1:], generator=generator, dtype=noise.dtype) for generator in generators]
        ).to(noise.device)
        drawn = drawn * noise.std(dim=(1, 2, 3), keepdim=True)
        return lerp(*self.means, t) + slerp(noise, drawn, 2 * doubt)
