"""DMCVR as a method: full volumes and labels from what the model generates in the heart's window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch

from ..alignment.correspondence import Correspondences, GapField, displacements, gaps_of
from ..anatomy.pieces import one_piece
from ..anatomy.signed_distances import WHOLE_MM, labels_from_distances, nested_distances
from ..baselines.protocol import Synthesis
from ..core.geometry import Plane, sample_plane
from ..core.layout import Layout
from ..core.positions import bracket
from ..core.progress import Progress
from ..core.stack import Stack
from ..model.inference import Model
from ..model.morphology import REACH_MM
from ..model.side_by_side import side_by_side
from .beyond_stack import uncertain_as
from .frame_shape import FrameShape, frame_shape
from .heart_window import Window
from .latents import AcquiredSlices, TargetSlices, invert_slices
from .options import Options
from .output_grid import extended
from .slice_generator import generate_slices, sample_spread
from .whole_shape import WholeShape

CHUNK = 8
"""Slices at a time of what would fill the memory."""
FOCUS_MARGIN_MM = 12.0
"""About the window, what moves into it is aligned as well as what lies in it."""
KEPT_SHAPES = 2
"""Frames whose shapes are kept from when the grid is extended; more of them would fill the memory."""

Result = TypeVar("Result")


class DiffusionMethod:
    """DMCVR, or DiffAE, behind the protocol of all methods (`baselines.protocol`).

    window: the heart's. label_rule: as in ``options``, which it may differ from. generator: random numbers,
    for uncertainty. What was found in a frame helps in the next.
    """

    def __init__(
        self, model: Model, window: Window, options: Options, label_rule: str, generator: torch.Generator
    ):
        self.model, self.window, self.options = model, window, options
        self.label_rule, self.generator = label_rule, generator
        self._shapes: dict[bytes, FrameShape] = {}
        self._gaps: dict[int, GapField] = {}

    def __call__(self, stack: Stack, labels: np.ndarray, layout: Layout, progress: Progress, /) -> Synthesis:
        """Reconstruct the full volumes of a batch of frames."""
        kept = np.array([self.options.keep_acquired and index is not None for index in layout.acquired])
        out = _acquired_slices(stack, labels, layout, kept, bool(self.options.samples))
        missing = np.flatnonzero(~kept)
        if not len(missing):
            return out
        wanted = layout.wanted[missing]

        def assembly(image: np.ndarray, drawn: np.ndarray) -> FrameAssembly:
            return FrameAssembly(image, drawn, stack, self.window, wanted, self._shape(stack, drawn))

        frames = _each_frame(assembly, stack.frames, labels)
        self._gaps = align_frames(frames, self._gaps, progress)
        shapes = _each_frame(lambda frame: frame.shapes(wanted), frames)
        targets = self._targets(frames, np.stack([maps for maps, _ in shapes]), frames[0].places)
        latents = invert_slices(self.model, _in_window(frames, stack), self.options, progress)
        images = generate_slices(self.model, latents, targets, self.options, progress)

        def fill(frame: FrameAssembly, generated: np.ndarray, volume: np.ndarray) -> None:
            volume[missing] = frame.with_background(generated)

        _each_frame(fill, frames, images, out.volume)
        if out.uncertainty is not None:
            places, factors = uncertain_as(stack.positions, wanted)
            targets = self._targets(frames, targets.maps, places)
            spread = sample_spread(self.model, latents, targets, self.options, self.generator, progress)
            for frame, drawn, item in zip(frames, spread, out.uncertainty, strict=True):
                item[missing] = frame.spread_with_background(drawn * factors[:, None, None])
        for (_, between), item in zip(shapes, out.labels, strict=True):
            item[missing] = between
        if self.label_rule != "code":
            found = self.model.segment(images, neighbours=False)[0].argmax(1).cpu().numpy()
            # Beyond the stack, images only repeat its end slices.
            within = np.isclose(frames[0].places, wanted)
            for frame, seen, item in zip(frames, found.reshape(images.shape), out.labels, strict=True):
                item[missing[within]] = frame.fused_labels(seen, self.label_rule)[within]
        for frame, item in zip(frames, out.labels, strict=True):
            if isinstance(frame.shape, WholeShape):
                # The heart is one surface: acquired slices, too, have its outlines.
                item[kept] = frame.labels(layout.wanted[kept])
                item[:] = one_piece(item)
        return out

    def extended(self, stack: Stack, labels: np.ndarray, layout: Layout) -> Layout:
        """The layout with as many slices more at either end as show the heart in any of the frames."""

        def extent(drawn: np.ndarray) -> tuple[float, float] | None:
            shape = self._shape(stack, drawn, keep=len(labels) <= KEPT_SHAPES)
            return shape.extent if isinstance(shape, WholeShape) else None

        extents = [ends for ends in _each_frame(extent, labels) if ends is not None]
        if len(extents) < len(labels):
            return layout
        low, high = (np.array(ends) for ends in zip(*extents, strict=True))
        return extended(layout, low.min(), high.max())

    def _shape(self, stack: Stack, labels: np.ndarray, keep: bool = False) -> FrameShape:
        """The shape of a frame's labels (S, H, W). keep: for when it is asked for again, which is once."""
        key = labels.tobytes()
        if (known := self._shapes.pop(key, None)) is not None:
            return known
        # Without the morphology code a method does without what was learned of morphology.
        model = self.model if self.options.morphology else None
        shape = frame_shape(stack, labels, model, extrapolate=self.options.extrapolate)
        if keep:
            self._shapes[key] = shape
        return shape

    def _targets(
        self, frames: list[FrameAssembly], maps: np.ndarray | None, places: np.ndarray
    ) -> TargetSlices:
        """Slices at ``places`` (Z,) mm within the stack, of the shapes ``maps`` (F, Z, 3, size, size) mm."""
        aligned = self.options.rule_in_force == "aligned"
        fields = np.stack([frame.displacements(places) for frame in frames], 1) if aligned else None
        return TargetSlices(places, maps, fields)


def _each_frame(function: Callable[..., Result], *of_frames: Iterable[Any]) -> list[Result]:
    """``function`` of what belongs to each frame, frames side by side."""
    return side_by_side(lambda own: function(*own), list(zip(*of_frames, strict=True)))


def _in_window(frames: list[FrameAssembly], stack: Stack) -> AcquiredSlices:
    """The acquired slices as the model sees them."""
    own = np.stack([frame.own_maps() for frame in frames])
    return AcquiredSlices(np.stack([frame.seen for frame in frames]), stack.positions, own)


def _acquired_slices(
    stack: Stack, labels: np.ndarray, layout: Layout, kept: np.ndarray, with_uncertainty: bool
) -> Synthesis:
    """Volumes and labels that hold the acquired slices where these are ``kept`` (Z,), yet to be filled."""
    shape = (len(stack.frames), *layout.grid.shape)
    volume, out = np.empty(shape, np.float32), np.empty(shape, np.uint8)
    for z in np.flatnonzero(kept):
        volume[:, z], out[:, z] = stack.frames[:, layout.acquired[z]], labels[:, layout.acquired[z]]
    return Synthesis(volume, out, np.zeros(shape, np.float32) if with_uncertainty else None)


def align_frames(
    frames: list[FrameAssembly], near: dict[int, GapField], progress: Progress
) -> dict[int, GapField]:
    """Estimate all correspondences, those of a frame from those of the one before it.

    near: what was found in the frame before the first, by gap; nothing if there was none. Returns what was
    found in the last. ``progress`` is called with ("align", gaps done, gaps in all).
    """
    done, total = 0, sum(len(frame.gaps) for frame in frames)

    def one_more() -> None:
        nonlocal done
        done += 1
        progress("align", done, total)

    for frame in frames:
        frame.alignment.estimate(frame.gaps, one_more, near)
        near = frame.alignment.found
    return near


class FrameAssembly:
    """One frame in the heart's window and about it.

    frame, labels: (S, H, W). wanted: (Z,) mm, beyond the stack, too, where ``shape`` tells of it.

    seen: (S, size, size), what the model sees. alignment: of the slices. gaps: those with wanted places.
    places: (Z,) mm, the wanted ones, but those beyond the stack are in its end slices: nothing tells of more
    there than these and the shape.
    """

    def __init__(
        self,
        frame: np.ndarray,
        labels: np.ndarray,
        stack: Stack,
        window: Window,
        wanted: np.ndarray,
        shape: FrameShape,
    ):
        self._frame, self._labels, self._window, self._wanted = frame, labels, window, wanted
        self._positions, self._native, self._target = stack.positions, stack.plane(0), window.planes[0]
        self.shape, self.places = shape, np.clip(wanted, stack.positions[0], stack.positions[-1])
        self.alignment, self.gaps = (
            Correspondences(frame, stack.spacing, _about(self._target, self._native)),
            gaps_of(stack.positions, self.places),
        )
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
            whole = self.shape.at(places[at])
            maps[at] = sample_plane(whole, self._native, self._target, fill=-WHOLE_MM)
            labels[at] = labels_from_distances(whole)
        return maps, labels

    def own_maps(self) -> np.ndarray:
        """(S, 3, size, size) mm, the nested distances of the acquired slices' own labels in the window."""
        own = nested_distances(self._labels, self._native.spacing, WHOLE_MM)
        return sample_plane(own, self._native, self._target, fill=-WHOLE_MM)

    def labels(self, places: np.ndarray) -> np.ndarray:
        """Labels (N, H, W) by the shape at ``places`` (N,) mm."""
        return labels_from_distances(self.shape.at(places))

    def displacements(self, places: np.ndarray) -> np.ndarray:
        """(2, Z, 2, size, size) float32 pixels of the window: where what is at ``places`` (Z,) mm, within
        the stack, was in the slice below and is in the one above; nothing moves at an acquired slice.
        """
        out = np.zeros((2, len(places), 2, *self._target.shape), np.float32)
        below, above, fraction = bracket(self._positions, places)
        between = np.flatnonzero(below != above)
        fields = {
            gap: resample_field(self.alignment.field(gap), self._native, self._target)
            for gap in np.unique(below[between]).tolist()
        }
        for at in chunks(len(between)):
            part = between[at]
            field = np.stack([fields[gap] for gap in below[part]])
            out[:, part] = displacements(field, fraction[part])
        return out

    def with_background(self, images: np.ndarray) -> np.ndarray:
        """Whole slices (Z, H, W) about generated images (Z, size, size)."""
        around = np.stack([self._frame, np.maximum(self._frame - self._window.scale, 0)], axis=1)
        out = np.empty((len(images), *self._native.shape), np.float32)
        for at in chunks(len(images)):
            blended = self.alignment.blend(around, self._positions, self.places[at])
            out[at] = paste_window(images[at], self._window, blended[:, 0], blended[:, 1], self._native)
        return out

    def spread_with_background(self, spread: np.ndarray) -> np.ndarray:
        """The same of a standard deviation, of which there is none about the window."""
        nothing = np.zeros((len(spread), *self._native.shape), np.float32)
        return paste_window(spread, self._window, nothing, nothing, self._native)

    def fused_labels(self, found: np.ndarray, rule: str) -> np.ndarray:
        """Labels (Z, H, W) by the interpolated shape and by those ``found`` (Z, size, size) in the generated
        images, see `fuse`.
        """
        out = np.empty((len(found), *self._native.shape), np.uint8)
        for z, image in enumerate(found):
            own = nested_distances(image, (self._window.spacing, self._window.spacing), REACH_MM)
            own = sample_plane(own, self._target, self._native, fill=-REACH_MM)
            out[z] = labels_from_distances(fuse(self.shape.at(self._wanted[z : z + 1])[0], own, rule))
        return out


def _about(window: Plane, plane: Plane) -> tuple[slice, slice]:
    """Rows and columns of ``plane`` within FOCUS_MARGIN_MM of a parallel ``window``."""
    corners = plane.indices(window.points()[[0, -1], [0, -1]])
    margin = FOCUS_MARGIN_MM / np.array(plane.spacing[::-1])
    low, high = np.floor(corners[0] - margin).astype(int), np.ceil(corners[1] + margin).astype(int) + 1
    rows, columns = (
        slice(int(max(first, 0)), int(min(last, count)))
        for first, last, count in zip(low, high, plane.shape, strict=True)
    )
    return rows, columns


def chunks(count: int) -> Iterator[slice]:
    """Slices of at most CHUNK of ``count`` items."""
    return (slice(start, start + CHUNK) for start in range(0, count, CHUNK))


def fuse(code: np.ndarray, image: np.ndarray, rule: str) -> np.ndarray:
    """Distance maps (3, H, W) from those interpolated in code space and those seen in the generated image.

    Where the interpolated code says a structure has ended, it has ended whatever the image seems to show;
    where the image shows none of a structure, or shows it somewhere else altogether, the code stands.
    """
    out: np.ndarray = np.clip(code, -REACH_MM, REACH_MM)
    for channel in range(len(out)):
        if (code[channel] > 0).any() and (image[channel] > 0).any():
            joined = image[channel] if rule == "image" else (out[channel] + image[channel]) / 2
            out[channel] = joined if (joined > 0).any() else out[channel]
    return out


def resample_field(field: np.ndarray, source: Plane, target: Plane) -> np.ndarray:
    """Displacements (2, H, W) in pixels, (row, column), of the plane ``source`` on a parallel ``target``, in
    pixels of that; none beyond the border.
    """
    scale = np.array(source.spacing[::-1]) / np.array(target.spacing[::-1])
    pixels: np.ndarray = sample_plane(field, source, target) * scale[:, None, None]
    return pixels


def paste_window(
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

    generated = sample_plane(images, source, plane, order=3) * window.scale + clipped
    blended: np.ndarray = np.maximum(weight * generated + (1 - weight) * background, least)
    return blended


def _feather(plane: Plane, feather_mm: float) -> np.ndarray:
    """(H, W) 1 inside, falling to 0 toward the border."""
    size = plane.shape[0]
    edge = np.minimum(np.arange(size), np.arange(size)[::-1]) * plane.spacing[0]
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.clip(edge / feather_mm, 0, 1))
    both: np.ndarray = ramp[:, None] * ramp[None, :]
    return both
