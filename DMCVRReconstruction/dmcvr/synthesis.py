"""One frame's full volume and labels from what the diffusion model generates in the heart's window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .baselines.registration import Alignment, displacements
from .generation import GenerationOptions, Progress, SliceGenerator, Slices
from .geometry import Plane, sample_plane
from .layout import Layout
from .model import Model
from .morphology import REACH_MM
from .segmentation import Window
from .shape import WHOLE_MM, labels_from_distances, nested_distances
from .shapeline import ShapeLine
from .stack import Stack

LABEL_RULES = ("code", "image", "fused")


@dataclass(frozen=True)
class Synthesis:
    """One frame made whole: volume (Z, Y, X) float32, labels uint8, uncertainty as in `Reconstruction`."""

    volume: np.ndarray
    labels: np.ndarray
    uncertainty: np.ndarray | None


def synthesise_frame(
    model: Model,
    stack: Stack,
    frame: np.ndarray,
    labels: np.ndarray,
    window: Window,
    layout: Layout,
    options: GenerationOptions,
    *,
    keep_acquired: bool,
    label_rule: str,
    samples: int,
    progress: Progress,
) -> Synthesis:
    """One frame made whole.

    frame, labels: (S, H, W) of a straightened ``stack``. keep_acquired, label_rule and samples: as in the
        pipeline's options.
    """
    native = [stack.plane(index) for index in range(len(frame))]
    # A method without the morphology code does without what was learned of morphology.
    line = ShapeLine(stack, labels, model if options.morphology else None, window.planes[0].centre)

    def window_distances(wanted: np.ndarray) -> np.ndarray:
        maps = line.at(wanted)
        return np.stack([resample_maps(item, native[0], window.planes[0], -WHOLE_MM) for item in maps])

    kept = np.array([keep_acquired and index is not None for index in layout.acquired])
    volume = np.empty(layout.grid.shape, np.float32)
    out = np.empty(layout.grid.shape, np.uint8)
    uncertainty = np.zeros(layout.grid.shape, np.float32) if samples else None
    for z in np.flatnonzero(kept):
        volume[z], out[z] = frame[layout.acquired[z]], labels[layout.acquired[z]]
    missing = np.flatnonzero(~kept)
    if not len(missing):
        return Synthesis(volume, out, uncertainty)

    wanted = layout.wanted[missing]
    alignment = Alignment(frame, stack.spacing)

    def window_displacements(below: int, t: float) -> tuple[np.ndarray, np.ndarray]:
        return displacements(resample_field(alignment.field(below), native[0], window.planes[0]), t)

    # Linear interpolation, good enough to segment, would cost sharpness.
    seen = window.images(frame, native, order=3)
    slices = Slices(seen, stack.positions, window.spacing, window_displacements)
    generator = SliceGenerator(model, slices, window_distances, options, progress)
    images = generator.images(wanted)
    around = np.stack([frame, np.maximum(frame - window.scale, 0)], axis=1)
    background, excess = np.moveaxis(alignment.blend(around, stack.positions, wanted), 1, 0)
    volume[missing] = put_back(images, window, background, excess, native[0])
    if samples:
        nothing = np.zeros_like(background)
        uncertainty[missing] = put_back(
            generator.spread(wanted, samples), window, nothing, nothing, native[0]
        )
    found = None
    if label_rule != "code":
        found = model.segment(images, neighbours=False)[0].argmax(1).cpu().numpy()
    for index, z in enumerate(missing):
        maps = line.at(wanted[index : index + 1])[0]
        if found is not None:
            own = nested_distances(found[index], (window.spacing, window.spacing), REACH_MM)
            maps = fuse(maps, resample_maps(own, window.planes[0], native[0], -REACH_MM), label_rule)
        out[z] = labels_from_distances(maps)
    return Synthesis(volume, out, uncertainty)


def fuse(code: np.ndarray, image: np.ndarray, rule: str) -> np.ndarray:
    """Distance maps (3, H, W) from those interpolated in code space and those seen in the generated image.

    Where the interpolated code says a structure has ended, it has ended whatever the image seems to show;
    where the image shows none of a structure, or shows it somewhere else altogether, the code stands.
    """
    out = np.clip(code, -REACH_MM, REACH_MM)
    for channel in range(len(out)):
        if (code[channel] > 0).any() and (image[channel] > 0).any():
            joined = image[channel] if rule == "image" else (out[channel] + image[channel]) / 2
            out[channel] = joined if (joined > 0).any() else out[channel]
    return out


def resample_maps(maps: np.ndarray, source: Plane, target: Plane, fill: float) -> np.ndarray:
    """Maps (C, H, W) of the plane ``source`` on a parallel ``target``; ``fill`` beyond the border."""
    return np.stack([sample_plane(item, source, target, fill=fill) for item in maps])


def resample_field(field: np.ndarray, source: Plane, target: Plane) -> np.ndarray:
    """Displacements (2, H, W) in pixels, (row, column), of the plane ``source`` on a parallel ``target``, in
    pixels of that; none beyond the border.
    """
    scale = np.array(source.spacing[::-1]) / np.array(target.spacing[::-1])
    return resample_maps(field, source, target, 0.0) * scale[:, None, None]


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
