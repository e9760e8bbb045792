"""The latents of acquired slices: l_sem and l_mor, and the stochastic code by inverting the diffusion model.

Every acquired slice is inverted once, under its own codes, all the way to x_T (``paper``) or part of the way
(``aligned``), see `slice_generator`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core.positions import bracket
from ..core.progress import Progress, no_progress
from ..model.batches import as_batch
from ..model.diffusion.interpolation import lerp
from ..model.diffusion.sampler import invert
from ..model.inference import Codes, Model
from ..model.morphology import scale_distances
from .noise_levels import NoiseLevels
from .options import Options
from .segmentation import bottleneck


@dataclass(frozen=True)
class AcquiredSlices:
    """The S slices of F frames in the model's window.

    images: (F, S, size, size) float32 in [0, 1]. positions: (S,) mm.
    maps: (F, S, 3, size, size), their nested distances in mm, of which only the "maps" form of the morphology
        code makes use.
    """

    images: np.ndarray
    positions: np.ndarray
    maps: np.ndarray | None = None


@dataclass(frozen=True)
class TargetSlices:
    """The places where Z slices of each of F frames are wanted.

    positions: (Z,) mm.
    maps: (F, Z, 3, size, size), the nested distances there in mm, where the acquired slices have theirs.
    displacements: for the aligned rule (2, F, Z, 2, size, size) pixels, which warp the slice below and the
        one above, see `correspondence.displacements`.
    """

    positions: np.ndarray
    maps: np.ndarray | None = None
    displacements: np.ndarray | None = None


@dataclass(frozen=True)
class SlicePairs:
    """N places between pairs of acquired slices, those of all frames counted through: slice s of frame f is
    number f S + s.

    below, above: (N,), the acquired slices around each. fraction: (N,), how far it is from the one to the
    other. maps, displacements: (N, ...) and (2, N, ...), as in `TargetSlices`.
    """

    below: np.ndarray
    above: np.ndarray
    fraction: np.ndarray
    maps: np.ndarray | None
    displacements: np.ndarray | None

    @classmethod
    def of(cls, shape: tuple[int, int], positions: np.ndarray, targets: TargetSlices) -> SlicePairs:
        """The pairs around ``targets``. shape: numbers of frames and slices. positions: (S,) mm of these."""
        frames, slices = shape
        below, above, fraction = bracket(positions, targets.positions)
        first = slices * np.arange(frames)[:, None]
        fields = targets.displacements
        return cls(
            (first + below).ravel(),
            (first + above).ravel(),
            np.tile(fraction, frames),
            None if targets.maps is None else _flat(targets.maps),
            None if fields is None else fields.reshape(2, -1, *fields.shape[3:]),
        )

    def part(self, at: slice) -> SlicePairs:
        """Some of the pairs."""
        return SlicePairs(
            self.below[at],
            self.above[at],
            self.fraction[at],
            None if self.maps is None else self.maps[at],
            None if self.displacements is None else self.displacements[:, at],
        )


@dataclass(frozen=True)
class SliceCodes:
    """The codes of N acquired slices, and by eq. 5 those between them.

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

    def at(self, pairs: SlicePairs) -> Codes:
        """The codes at some places; at an acquired slice's its own."""
        t = torch.from_numpy(pairs.fraction).to(self.semantic.device)
        morphology = None
        if self.features is not None:
            morphology = lerp(self.features[pairs.below], self.features[pairs.above], t)
        elif self.takes_maps:
            if pairs.maps is None:
                raise ValueError("This preset's morphology code needs the slices' distance maps.")
            morphology = scale_distances(pairs.maps).to(self.semantic.device)
        return Codes(lerp(self.semantic[pairs.below], self.semantic[pairs.above], t), morphology)


@dataclass(frozen=True)
class Latents:
    """The latents of the S slices of F frames, N = F S.

    shape: (F, S). positions: (S,) mm. images: (N, 1, size, size) in [-1, 1]. codes: of these.
    noisy: (N, 1, size, size), the images inverted to the noisiest of ``levels``.
    levels: at which they were inverted, and slices are generated from them. aligned: whether these lead part
    of the way only.
    """

    shape: tuple[int, int]
    positions: np.ndarray
    images: Tensor
    codes: SliceCodes
    noisy: Tensor
    levels: NoiseLevels
    aligned: bool

    def pairs(self, targets: TargetSlices) -> SlicePairs:
        """The pairs of slices around ``targets``."""
        return SlicePairs.of(self.shape, self.positions, targets)


def invert_slices(
    model: Model, acquired: AcquiredSlices, options: Options, progress: Progress = no_progress
) -> Latents:
    """The latents of ``acquired``; batches are filled with slices whichever frame they are of.

    progress: called with ("invert", slices done, slices in all).
    """
    shape = acquired.images.shape[0], acquired.images.shape[1]
    levels = NoiseLevels.of(model.schedule, options)
    images = as_batch(_flat(acquired.images) * 2 - 1).to(model.device)
    codes = SliceCodes.of(model, acquired.images, options.morphology)
    noisy = torch.empty_like(images)
    own = SlicePairs.of(shape, acquired.positions, TargetSlices(acquired.positions, acquired.maps))

    def invert_batch(at: slice) -> None:
        denoise = model.denoise(codes.at(own.part(at)))
        noisy[at] = invert(denoise, images[at], levels.inversion, options.order)

    model.in_batches(len(images), invert_batch, lambda at: progress("invert", at.stop, len(images)))
    aligned = options.rule_in_force == "aligned"
    return Latents(shape, acquired.positions, images, codes, noisy, levels, aligned)


def _flat(array: np.ndarray) -> np.ndarray:
    """(F * S, ...) of (F, S, ...)."""
    return array.reshape(-1, *array.shape[2:])
