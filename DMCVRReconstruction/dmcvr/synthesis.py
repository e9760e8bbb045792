"""Some frames' full volumes and labels from what the diffusion model generates in the heart's window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .baselines.registration import Alignment, displacements
from .generation import Acquired, GenerationOptions, Progress, SliceGenerator, Wanted
from .geometry import Plane, sample_plane
from .layout import Layout
from .model import Model
from .morphology import REACH_MM
from .positions import bracket
from .segmentation import Window
from .shape import WHOLE_MM, labels_from_distances, nested_distances
from .shapeline import ShapeLine
from .stack import Stack

LABEL_RULES = ("code", "image", "fused")
CHUNK = 8
"""Slices whose distances are held whole at a time."""


@dataclass(frozen=True)
class Synthesis:
    """F frames made whole: volume (F, Z, Y, X) float32, labels uint8, uncertainty as in `Reconstruction`."""

    volume: np.ndarray
    labels: np.ndarray
    uncertainty: np.ndarray | None


def synthesise_frames(
    model: Model,
    stack: Stack,
    frames: np.ndarray,
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
    """Some frames made whole.

    frames, labels: (F, S, H, W) of a straightened ``stack``. keep_acquired, label_rule and samples: as in the
        pipeline's options.
    """
    kept = np.array([keep_acquired and index is not None for index in layout.acquired])
    shape = (len(frames), *layout.grid.shape)
    volume, out = np.empty(shape, np.float32), np.empty(shape, np.uint8)
    uncertainty = np.zeros(shape, np.float32) if samples else None
    for z in np.flatnonzero(kept):
        volume[:, z], out[:, z] = frames[:, layout.acquired[z]], labels[:, layout.acquired[z]]
    missing = np.flatnonzero(~kept)
    if not len(missing):
        return Synthesis(volume, out, uncertainty)

    native = [stack.plane(index) for index in range(len(stack.origins))]
    positions, wanted = stack.positions, layout.wanted[missing]
    # A method without the morphology code does without what was learned of morphology.
    learned = model if options.morphology else None
    lines = [ShapeLine(stack, item, learned, window.planes[0].centre) for item in labels]
    alignments = [Alignment(frame, stack.spacing) for frame in frames]
    maps, shapes = zip(*(shapes_at(line, wanted, native[0], window) for line in lines), strict=True)
    own_maps, _ = zip(*(shapes_at(line, positions, native[0], window) for line in lines), strict=True)
    # Linear interpolation, good enough to segment, would cost sharpness.
    seen = np.stack([window.images(frame, native, order=3) for frame in frames])
    moves = np.stack([window_moves(item, positions, wanted, native[0], window) for item in alignments], 1)
    places = Wanted(wanted, np.stack(maps), moves)
    generator = SliceGenerator(model, Acquired(seen, positions, np.stack(own_maps)), options, progress)
    images = generator.images(places)
    spread = generator.spread(places, samples) if samples else None
    found = None
    if label_rule != "code":
        found = model.segment(images, neighbours=False)[0].argmax(1).cpu().numpy()
        found = found.reshape(images.shape)
    for f, (frame, alignment) in enumerate(zip(frames, alignments, strict=True)):
        around = np.stack([frame, np.maximum(frame - window.scale, 0)], axis=1)
        background, excess = np.moveaxis(alignment.blend(around, positions, wanted), 1, 0)
        volume[f, missing] = put_back(images[f], window, background, excess, native[0])
        if spread is not None:
            nothing = np.zeros_like(background)
            uncertainty[f, missing] = put_back(spread[f], window, nothing, nothing, native[0])
        out[f, missing] = shapes[f]
        if found is not None:
            out[f, missing] = fused_labels(lines[f], wanted, found[f], native[0], window, label_rule)
    return Synthesis(volume, out, uncertainty)


def shapes_at(
    line: ShapeLine, places: np.ndarray, native: Plane, window: Window
) -> tuple[np.ndarray, np.ndarray]:
    """The shape at ``places`` (Z,) mm: nested distances (Z, 3, size, size) in mm in the window, and labels
    (Z, H, W) of whole slices.

    Few places at a time: the distances of all whole slices would fill the memory.
    """
    maps = np.empty((len(places), 3, *window.planes[0].shape), np.float32)
    labels = np.empty((len(places), *native.shape), np.uint8)
    for at in np.array_split(np.arange(len(places)), range(CHUNK, len(places), CHUNK)):
        whole = line.at(places[at])
        maps[at] = [resample_maps(item, native, window.planes[0], -WHOLE_MM) for item in whole]
        labels[at] = labels_from_distances(whole)
    return maps, labels


def window_moves(
    alignment: Alignment, positions: np.ndarray, wanted: np.ndarray, native: Plane, window: Window
) -> np.ndarray:
    """(2, Z, 2, size, size) float32 pixels of the window: where each pixel at ``wanted`` (Z,) mm was in the
    slice below and is in the one above; nothing moves at an acquired slice.
    """
    target = window.planes[0]
    fields: dict[int, np.ndarray] = {}
    out = np.zeros((2, len(wanted), 2, *target.shape), np.float32)
    for z, (below, above, t) in enumerate(zip(*bracket(positions, wanted), strict=True)):
        if below != above:
            if below not in fields:
                fields[below] = resample_field(alignment.field(below), native, target)
            out[:, z] = displacements(fields[below], t)
    return out


def fused_labels(
    line: ShapeLine, wanted: np.ndarray, found: np.ndarray, native: Plane, window: Window, rule: str
) -> np.ndarray:
    """Labels (Z, H, W) by the interpolated shape at ``wanted`` (Z,) mm and by the labels ``found`` (Z, size,
    size) in the generated images, see `fuse`.
    """
    out = np.empty((len(wanted), *native.shape), np.uint8)
    for z, image in enumerate(found):
        own = nested_distances(image, (window.spacing, window.spacing), REACH_MM)
        own = resample_maps(own, window.planes[0], native, -REACH_MM)
        out[z] = labels_from_distances(fuse(line.at(wanted[z : z + 1])[0], own, rule))
    return out


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
