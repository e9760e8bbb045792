"""DMCVR: the missing slices of one frame from the latents of the acquired ones.

Two rules say how the latents of two neighbours meet.

``paper``: each slice is inverted all the way to x_T; x_T is interpolated on the sphere (eq. 6), l_sem and
l_mor on the straight line (eq. 5), and the triple is decoded.

``aligned``: details of two neighbours belong to different places, so both are first registered and warped to
the wanted position. Their blend is the mean of the new slice. Both are inverted only part of the way, under
the interpolated codes; what they hold beyond the noise-free part is interpolated on the sphere about that
mean, and denoised. It takes fewer network calls and keeps sharpness without mixing details of different
places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from .baselines.registration import align, warp_pair
from .diffusion.interpolation import lerp, slerp
from .diffusion.sampler import generate, invert
from .diffusion.schedule import alpha_sigma
from .geometry import Plane, sample_plane
from .model import Codes, Model, as_batch
from .morphology import scale_distances
from .positions import bracket
from .segmentation import Window, bottleneck

RULES = ("aligned", "paper")


@dataclass(frozen=True)
class GenerationOptions:
    """How slices are generated.

    steps: network calls of an inversion, and as many of a generation.
    rule: "aligned" or "paper", see the module.
    morphology: False withholds l_mor, which is the method DiffAE.
    order: 2 for the multistep sampler, 1 for DDIM.
    stop_log_snr: where the aligned rule's inversion stops; lower is sharper and less true.
    """

    steps: int = 10
    rule: str = "aligned"
    morphology: bool = True
    order: int = 2
    stop_log_snr: float = 2.0


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
    distances: Callable[[np.ndarray], np.ndarray],
    options: GenerationOptions,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> np.ndarray:
    """Images (Z, size, size) float32 in [0, 1] at the positions ``wanted`` (Z,) mm, acquired ones included if
    asked for.

    distances: gives the interpolated nested distances (N, 3, size, size) in mm at positions (N,), for the
        "maps" form of the morphology code.
    progress: told ("invert" or "generate", slices done, slices in all).
    """
    if options.rule not in RULES:
        raise ValueError(f"rule must be one of {RULES}, not {options.rule!r}")
    below, above, fraction = bracket(slices.positions, wanted)
    semantic = model.encode(as_batch(slices.images * 2 - 1))
    features = None
    if options.morphology and model.preset.morphology == "bottleneck":
        features = bottleneck(model, slices.images)

    def codes(at: np.ndarray) -> Codes:
        """Interpolated codes (eq. 5) of the wanted slices with the given indices."""
        t = torch.from_numpy(fraction[at]).to(semantic.device)
        morphology = None
        if features is not None:
            morphology = lerp(features[below[at]], features[above[at]], t)
        elif options.morphology:
            morphology = scale_distances(distances(wanted[at])).to(semantic.device)
        return Codes(lerp(semantic[below[at]], semantic[above[at]], t), morphology)

    make = _aligned if options.rule == "aligned" else _paper
    result = make(model, slices, wanted, (below, above, fraction), codes, distances, options, progress)
    return np.clip((result[:, 0] + 1) / 2, 0, 1)


def _chunks(count: int, size: int) -> list[np.ndarray]:
    return [np.arange(start, min(start + size, count)) for start in range(0, count, size)]


def _paper(model, slices, wanted, brackets, codes, distances, options, progress) -> np.ndarray:
    """Full inversion of every acquired slice, slerp of x_T, full generation."""
    below, above, fraction = brackets
    down = model.schedule.grid(options.steps)
    count = len(slices.images)
    noise = []
    own = _own_codes(model, slices, distances, options)
    for at in _chunks(count, model.batch):
        images = as_batch(slices.images[at] * 2 - 1).to(model.device)
        noise.append(invert(model.denoise(own(at)), images, down, options.order))
        progress("invert", int(at[-1]) + 1, count)
    x_T = torch.cat(noise)
    out = []
    for at in _chunks(len(wanted), model.batch):
        t = torch.from_numpy(fraction[at]).to(model.device)
        start = slerp(x_T[below[at]], x_T[above[at]], t)
        out.append(generate(model.denoise(codes(at)), start, down[::-1], options.order).cpu())
        progress("generate", int(at[-1]) + 1, len(wanted))
    return torch.cat(out).numpy()


def _own_codes(model, slices, distances, options) -> Callable[[np.ndarray], Codes]:
    """The codes of the acquired slices themselves."""
    semantic = model.encode(as_batch(slices.images * 2 - 1))
    kind = model.preset.morphology if options.morphology else None
    features = bottleneck(model, slices.images) if kind == "bottleneck" else None

    def own(at: np.ndarray) -> Codes:
        morphology = None
        if features is not None:
            morphology = features[at]
        elif kind == "maps":
            morphology = scale_distances(distances(slices.positions[at])).to(semantic.device)
        return Codes(semantic[at], morphology)

    return own


def _aligned(model, slices, wanted, brackets, codes, distances, options, progress) -> np.ndarray:
    """Neighbours warped to the wanted position, partial inversion, noise slerped about their blend."""
    below, above, fraction = brackets
    stop = options.stop_log_snr / 2
    alpha, _ = alpha_sigma(stop)
    down = model.schedule.grid(options.steps, stop)
    fields: dict[int, np.ndarray] = {}
    out = []
    for at in _chunks(len(wanted), model.batch):
        pairs = [_warped(slices, below[z], above[z], fraction[z], fields) for z in at]
        first, second = (
            as_batch(np.stack(side) * 2 - 1).to(model.device) for side in zip(*pairs, strict=True)
        )
        t = torch.from_numpy(fraction[at]).to(model.device)
        denoise = model.denoise(codes(at))
        noisy_first = invert(denoise, first, down, options.order)
        noisy_second = invert(denoise, second, down, options.order)
        start = alpha * lerp(first, second, t) + slerp(
            noisy_first - alpha * first, noisy_second - alpha * second, t
        )
        out.append(generate(denoise, start, down[::-1], options.order).cpu())
        progress("generate", int(at[-1]) + 1, len(wanted))
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


def put_back(
    images: np.ndarray,
    window: Window,
    background: np.ndarray,
    clipped: np.ndarray,
    plane: Plane,
    feather_mm: float = 12.0,
) -> np.ndarray:
    """Generated window images set into full slices (Z, H, W).

    images: (Z, size, size) in [0, 1]. background: (Z, H, W), interpolated intensities for all that lies
    outside the window. clipped: (Z, H, W), the interpolated excess over the window's scale, which the model
    does not see.
    plane: of the slices' first, native grid. Toward the window's border the two blend over ``feather_mm``.
    """
    source = window.planes[0]
    weight = sample_plane(_feather(source, feather_mm), source, plane)
    out = np.empty(background.shape, np.float32)
    for z, image in enumerate(images):
        generated = sample_plane(image, source, plane, order=3) * window.scale + clipped[z]
        out[z] = weight * generated + (1 - weight) * background[z]
    return np.maximum(out, min(0.0, float(background.min())))


def _feather(plane: Plane, feather_mm: float) -> np.ndarray:
    """(H, W) 1 inside, falling to 0 toward the border."""
    size = plane.shape[0]
    edge = np.minimum(np.arange(size), np.arange(size)[::-1]) * plane.spacing[0]
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.clip(edge / feather_mm, 0, 1))
    return ramp[:, None] * ramp[None, :]
