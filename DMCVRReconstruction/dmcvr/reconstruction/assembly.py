"""Some frames' full volumes and labels from what the diffusion model generates in the heart's window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..alignment.correspondence import Alignment, displacements, gaps_of
from ..anatomy.signed_distances import WHOLE_MM, labels_from_distances, nested_distances
from ..core.geometry import Plane, sample_plane
from ..core.positions import bracket
from ..core.stack import Stack
from ..model.inference import Model
from ..model.morphology import REACH_MM
from ..system.threads import mapped
from .heart_window import Window
from .output_grid import Layout
from .shape_between_slices import ShapeLine
from .slice_generator import Acquired, GenerationOptions, Progress, SliceGenerator, Wanted

LABEL_RULES = ("code", "image", "fused")
CHUNK = 8
"""Slices at a time of what would fill the memory."""


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

    wanted = layout.wanted[missing]
    # A method without the morphology code does without what was learned of morphology.
    learned = model if options.morphology else None
    parts = [_Frame(*pair, stack, window, wanted, learned) for pair in zip(frames, labels, strict=True)]
    align_frames(parts, progress)
    shapes = [part.shapes(wanted) for part in parts]
    own = np.stack([part.shapes(stack.positions)[0] for part in parts])
    acquired = Acquired(np.stack([part.seen for part in parts]), stack.positions, own)
    moves = np.stack([part.moves() for part in parts], 1) if options.rule == "aligned" else None
    places = Wanted(wanted, np.stack([maps for maps, _ in shapes]), moves)
    generator = SliceGenerator(model, acquired, options, progress)
    images = generator.images(places)
    for part, made, item in zip(parts, images, volume, strict=True):
        item[missing] = part.put_back(made)
    if samples:
        for part, made, item in zip(parts, generator.spread(places, samples), uncertainty, strict=True):
            item[missing] = part.put_back_spread(made)
    for (_, drawn), item in zip(shapes, out, strict=True):
        item[missing] = drawn
    if label_rule != "code":
        found = model.segment(images, neighbours=False)[0].argmax(1).cpu().numpy().reshape(images.shape)
        for part, seen, item in zip(parts, found, out, strict=True):
            item[missing] = part.fused_labels(seen, label_rule)
    return Synthesis(volume, out, uncertainty)


def align_frames(parts: list[_Frame], progress: Progress) -> None:
    """Estimate all correspondences; ``progress`` is told ("align", gaps done, gaps in all)."""
    done, total = 0, sum(len(part.gaps) for part in parts)

    def tell() -> None:
        nonlocal done
        done += 1
        progress("align", done, total)

    for part in parts:
        part.alignment.estimate(part.gaps, tell)


class _Frame:
    """One frame in the heart's window and about it.

    frame, labels: (S, H, W). wanted: (Z,) mm. model: for what it has learned of shapes, None to do without.

    seen: (S, size, size), what the model sees. alignment: of the slices. gaps: those with wanted places.
    """

    def __init__(
        self,
        frame: np.ndarray,
        labels: np.ndarray,
        stack: Stack,
        window: Window,
        wanted: np.ndarray,
        model: Model | None,
    ):
        self._frame, self._window, self._wanted = frame, window, wanted
        self._positions, self._native, self._target = stack.positions, stack.plane(0), window.planes[0]
        self._line = ShapeLine(stack, labels, model, self._target.centre)
        self.alignment, self.gaps = Alignment(frame, stack.spacing), gaps_of(stack.positions, wanted)
        # Linear interpolation, good enough to segment, would cost sharpness.
        self.seen = window.images(frame, [stack.plane(index) for index in range(len(frame))], order=3)

    def shapes(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nested distances (N, 3, size, size) mm in the window, and labels (N, H, W) by these, at ``places``
        (N,) mm.

        The distances of all whole slices at once would fill the memory.
        """
        maps = np.empty((len(places), 3, *self._target.shape), np.float32)
        labels = np.empty((len(places), *self._native.shape), np.uint8)
        for at in chunks(len(places)):
            whole = self._line.at(places[at])
            maps[at] = [resample_maps(item, self._native, self._target, -WHOLE_MM) for item in whole]
            labels[at] = labels_from_distances(whole)
        return maps, labels

    def moves(self) -> np.ndarray:
        """(2, Z, 2, size, size) float32 pixels of the window: where what is at a wanted place was in the
        slice below and is in the one above; nothing moves at an acquired slice.
        """
        fields: dict[int, np.ndarray] = {}
        out = np.zeros((2, len(self._wanted), 2, *self._target.shape), np.float32)
        for z, (below, above, t) in enumerate(zip(*bracket(self._positions, self._wanted), strict=True)):
            if below != above:
                if below not in fields:
                    fields[below] = resample_field(self.alignment.field(below), self._native, self._target)
                out[:, z] = displacements(fields[below], t)
        return out

    def put_back(self, images: np.ndarray) -> np.ndarray:
        """Whole slices (Z, H, W) about generated images (Z, size, size)."""
        around = np.stack([self._frame, np.maximum(self._frame - self._window.scale, 0)], axis=1)
        out = np.empty((len(images), *self._native.shape), np.float32)
        for at in chunks(len(images)):
            blended = self.alignment.blend(around, self._positions, self._wanted[at])
            out[at] = put_back(images[at], self._window, blended[:, 0], blended[:, 1], self._native)
        return out

    def put_back_spread(self, spread: np.ndarray) -> np.ndarray:
        """The same of a standard deviation, of which there is none about the window."""
        nothing = np.zeros((len(spread), *self._native.shape), np.float32)
        return put_back(spread, self._window, nothing, nothing, self._native)

    def fused_labels(self, found: np.ndarray, rule: str) -> np.ndarray:
        """Labels (Z, H, W) by the interpolated shape and by those ``found`` (Z, size, size) in the generated
        images, see `fuse`.
        """
        out = np.empty((len(found), *self._native.shape), np.uint8)
        for z, image in enumerate(found):
            own = nested_distances(image, (self._window.spacing, self._window.spacing), REACH_MM)
            own = resample_maps(own, self._target, self._native, -REACH_MM)
            out[z] = labels_from_distances(fuse(self._line.at(self._wanted[z : z + 1])[0], own, rule))
        return out


def chunks(count: int) -> Iterator[slice]:
    """Slices of at most CHUNK of ``count`` items."""
    return (slice(start, start + CHUNK) for start in range(0, count, CHUNK))


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
    least = min(0.0, float(background.min()))

    def whole(z: int) -> np.ndarray:
        generated = sample_plane(images[z], source, plane, order=3) * window.scale + clipped[z]
        return np.maximum(weight * generated + (1 - weight) * background[z], least)

    out = np.empty(background.shape, np.float32)
    for z, image in enumerate(mapped(whole, range(len(images)))):
        out[z] = image
    return out


def _feather(plane: Plane, feather_mm: float) -> np.ndarray:
    """(H, W) 1 inside, falling to 0 toward the border."""
    size = plane.shape[0]
    edge = np.minimum(np.arange(size), np.arange(size)[::-1]) * plane.spacing[0]
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.clip(edge / feather_mm, 0, 1))
    return ramp[:, None] * ramp[None, :]
