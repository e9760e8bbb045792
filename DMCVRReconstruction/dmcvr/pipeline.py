"""The one pipeline: a SAX stack in, a 3D heart out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from .anatomy import ejection_fraction, find_ed_es, stack_volumes_ml, volumes_ml
from .baselines import BASELINES
from .baselines.weighted import apply_weights, linear_weights
from .errors import InputError
from .generation import GenerationOptions, Slices, generate_slices, put_back
from .geometry import Grid, Plane, sample_plane
from .labels import LVC, NAMES
from .layout import Layout, plan, straighten
from .model import Model, as_batch
from .morphology import REACH_MM
from .segmentation import Window, find_heart, segment_frame, window_about
from .shape import (
    WHOLE_MM,
    apical_end,
    heart_areas,
    interpolate_distances,
    labels_from_distances,
    missing_inner_slices,
    nested_distances,
)
from .stack import Stack

METHODS = ("dmcvr", "diffae", *BASELINES)
Progress = Callable[[str, int, int], None]
WIDE_GAP_MM = 15.0


@dataclass(frozen=True)
class Options:
    """What to reconstruct and how.

    method: one of METHODS. spacing: mm between output slices, None for the in-plane spacing.
    frame: "ed", "es", "all" or a frame's index, counted from 0.
    generation: for the methods "dmcvr" and "diffae".
    keep_acquired: acquired slices keep their acquired voxels; otherwise they are inverted and generated like
        the rest.
    label_rule: labels of generated slices from the interpolated shape ("code"), from segmenting the generated
        image ("image", as in the paper), or from the mean of the two distance maps ("fused").
    seed: of torch's generator.
    """

    method: str = "dmcvr"
    spacing: float | None = None
    frame: str | int = "ed"
    generation: GenerationOptions = field(default_factory=GenerationOptions)
    keep_acquired: bool = True
    label_rule: str = "fused"
    seed: int = 0

    def __post_init__(self):
        if self.method not in METHODS:
            raise InputError(f"There is no method {self.method!r}; choose one of {', '.join(METHODS)}.")
        if self.label_rule not in ("code", "image", "fused"):
            raise InputError(f"There is no label rule {self.label_rule!r}; choose code, image or fused.")
        if self.generation.steps < 1:
            raise InputError("The number of steps must be at least 1.")


@dataclass(frozen=True)
class Reconstruction:
    """A heart in 3D, over time if more than one frame was asked for.

    volume: (T, Z, Y, X) float32, the stack's intensities. labels: the same shape, uint8. grid: where both
        lie.
    acquired: (Z,) index of the acquired slice at each z, None where the slice was generated.
    stack, stack_labels: the T frames as acquired, and their labels (T, S, H, W).
    frames: (T,) which frames of the input they are.
    cycle_ml: LVC volume by disc summation in every frame of the input that was segmented, None in the others.
    seconds: per stage. warnings: plain sentences.
    """

    volume: np.ndarray
    labels: np.ndarray
    grid: Grid
    acquired: tuple[int | None, ...]
    stack: Stack
    stack_labels: np.ndarray
    frames: tuple[int, ...]
    cycle_ml: tuple[float | None, ...]
    seconds: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def volumes(self) -> list[dict[str, float]]:
        """Volume in ml of each structure in each of the T frames, from the reconstruction."""
        return [volumes_ml(labels, self.grid.voxel_ml) for labels in self.labels]

    @property
    def stack_volumes(self) -> list[dict[str, float]]:
        """The same from the acquired slices by disc summation."""
        area = float(np.prod(self.stack.spacing))
        return [stack_volumes_ml(labels, self.stack.positions, area) for labels in self.stack_labels]

    @property
    def ejection_fraction(self) -> float | None:
        """In %, of the largest and smallest reconstructed LV cavity; None unless the whole cine was
        reconstructed.
        """
        if len(self.frames) < len(self.cycle_ml) or len(self.frames) < 2:
            return None
        lvc = [volumes["LVC"] for volumes in self.volumes]
        return ejection_fraction(max(lvc), min(lvc))


def reconstruct(
    stack: Stack,
    model: Model | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
    labels: np.ndarray | None = None,
) -> Reconstruction:
    """Reconstruct the missing slices of ``stack``.

    model: may be None only for a method that needs no network, with ``labels`` given.
    labels: (T or 1, S, H, W) uint8, expert labels of the acquired slices, instead of segmenting.
    progress: ``progress(stage, done, total)`` with the stages "segment", "invert" and "generate"; an
        exception raised in it ends the run.
    Raises InputError where the stack shows no heart or the options do not fit it.
    """
    options = options or Options()
    progress = progress or (lambda stage, done, total: None)
    if model is None and (labels is None or options.method not in BASELINES):
        raise ValueError("Without a model only baselines can run, and only on given labels.")
    torch.manual_seed(options.seed)
    clock = _Clock()
    if labels is not None and (
        len(labels) not in (1, len(stack.frames)) or labels.shape[1:] != stack.frames.shape[1:]
    ):
        raise InputError("The labels do not have the frames, slices and pixels of the image.")
    acquired = stack
    stack, displaced = straighten(acquired)
    if labels is not None and displaced > 0:
        labels = _straighten_labels(labels, acquired, stack)
    layout = plan(stack, options.spacing)

    with clock("segment"):
        windows, stack_labels = _label_stack(stack, model, options, labels, progress)
    cycle = _cycle(stack, stack_labels)
    chosen = _choose_frames(options.frame, cycle)
    warnings = _warnings(stack, displaced, layout, {t: stack_labels[t] for t in chosen})

    shape = (len(chosen), *layout.grid.shape)
    volume, out = np.empty(shape, np.float32), np.empty(shape, np.uint8)
    for index, t in enumerate(chosen):

        def step(stage: str, done: int, total: int, index: int = index) -> None:
            progress(stage, index * total + done, len(chosen) * total)

        with clock("generate"):
            frame, own = stack.frames[t], stack_labels[t]
            if options.method in BASELINES:
                volume[index], out[index] = BASELINES[options.method](
                    frame, own, stack.positions, layout.wanted, stack.spacing
                )
                step("generate", 1, 1)
            else:
                volume[index], out[index] = _generate_frame(
                    model, stack, frame, own, windows, layout, options, labels is not None, step
                )
    return Reconstruction(
        volume=volume,
        labels=out,
        grid=layout.grid,
        acquired=layout.acquired,
        stack=stack.select(frames=list(chosen)),
        stack_labels=np.stack([stack_labels[t] for t in chosen]),
        frames=tuple(chosen),
        cycle_ml=cycle,
        seconds=clock.seconds,
        warnings=tuple(warnings),
    )


class _Clock:
    """Adds up the seconds spent in each stage."""

    def __init__(self):
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started


def segment_stack(
    stack: Stack, model: Model, frames: list[int], progress: Progress
) -> tuple[Window, dict[int, np.ndarray]]:
    """The heart's window and labels (S, H, W) of the given frames of a stack. Raises InputError if no heart
    is in view.
    """
    native = [stack.plane(index) for index in range(len(stack.origins))]
    window = find_heart(model, stack.frames[frames[0]], native)
    total, finished, labels = len(frames) * len(native), 0, {}

    def done(count: int) -> None:
        nonlocal finished
        finished += count
        progress("segment", finished, total)

    for t in frames:
        labels[t] = segment_frame(model, stack.frames[t], native, window, done)
    if not any((item == LVC).any() for item in labels.values()):
        raise InputError("No left ventricle was found in the image: it must be a short-axis stack.")
    return window, labels


def _label_stack(stack, model, options, labels, progress) -> tuple[Window | None, dict[int, np.ndarray]]:
    """The window and the labels by frame, of the frames that are needed to choose from and to reconstruct."""
    count = len(stack.frames)
    if isinstance(options.frame, int) and not 0 <= options.frame < count:
        raise InputError(f"There is no frame {options.frame}; frames are counted from 0 to {count - 1}.")
    needed = [options.frame] if isinstance(options.frame, int) else list(range(count))
    if labels is None:
        return segment_stack(stack, model, needed, progress)
    if len(labels) < count and len(needed) > 1:
        raise InputError("The labels are of one frame only; say which with --frame.")
    drawn = [t for t in needed if labels[t if len(labels) == count else 0].any()]
    if not drawn:
        raise InputError("The labels show no heart in the chosen frame; choose another one with --frame.")
    if options.frame == "all" and len(drawn) < count:
        raise InputError(
            f"Only {len(drawn)} of the {count} frames have labels; choose one of these with --frame."
        )
    # Experts often draw end-diastole and end-systole only: a frame left empty is no heart without blood.
    by_frame = {t: labels[t if len(labels) == count else 0] for t in drawn}
    if model is None:
        return None, by_frame
    native = [stack.plane(index) for index in range(len(stack.origins))]
    window = window_about(model, stack.frames[drawn[0]], native, native, by_frame[drawn[0]] > 0)
    return window, by_frame


def _straighten_labels(labels: np.ndarray, acquired: Stack, straight: Stack) -> np.ndarray:
    """Labels (T, S, H, W) of the ``acquired`` slices, on the ``straight`` ones."""
    out = np.empty_like(labels)
    for index in range(len(acquired.origins)):
        source, target = acquired.plane(index), straight.plane(index)
        for t in range(len(labels)):
            out[t, index] = sample_plane(labels[t, index], source, target, order=0)
    return out


def _cycle(stack: Stack, labels: dict[int, np.ndarray]) -> tuple[float | None, ...]:
    area = float(np.prod(stack.spacing))
    return tuple(
        stack_volumes_ml(labels[t], stack.positions, area)["LVC"] if t in labels else None
        for t in range(len(stack.frames))
    )


def _choose_frames(frame: str | int, cycle: tuple[float | None, ...]) -> list[int]:
    if isinstance(frame, int):
        return [frame]
    if frame == "all":
        return list(range(len(cycle)))
    if frame not in ("ed", "es"):
        raise InputError(f"There is no frame {frame!r}; choose ed, es, all or a number.")
    known = [t for t, value in enumerate(cycle) if value is not None]
    ed, es = find_ed_es([cycle[t] for t in known])
    return [known[ed if frame == "ed" else es]]


def _generate_frame(
    model: Model,
    stack: Stack,
    frame: np.ndarray,
    labels: np.ndarray,
    window: Window,
    layout: Layout,
    options: Options,
    expert: bool,
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray]:
    """Volume (Z, Y, X) and labels of one frame by the diffusion model."""
    native = [stack.plane(index) for index in range(len(frame))]
    whole = nested_distances(labels, stack.spacing, WHOLE_MM)
    apex = apical_end(heart_areas(labels), stack.positions)

    def native_distances(wanted: np.ndarray) -> np.ndarray:
        return interpolate_distances(whole, stack.positions, wanted, apex)

    def window_distances(wanted: np.ndarray) -> np.ndarray:
        maps = native_distances(wanted)
        return np.stack([_resample_maps(item, native[0], window.planes[0], -WHOLE_MM) for item in maps])

    kept = [options.keep_acquired and index is not None for index in layout.acquired]
    missing = np.flatnonzero(~np.array(kept))
    volume = np.empty(layout.grid.shape, np.float32)
    out = np.empty(layout.grid.shape, np.uint8)
    for z in np.flatnonzero(kept):
        volume[z], out[z] = frame[layout.acquired[z]], labels[layout.acquired[z]]
    if not len(missing):
        return volume, out

    wanted = layout.wanted[missing]
    slices = Slices(window.images(frame, native), stack.positions, window.spacing)
    generation = (
        replace(options.generation, morphology=False, rule="paper")
        if options.method == "diffae"
        else options.generation
    )
    images = generate_slices(model, slices, wanted, window_distances, generation, progress)
    weights = linear_weights(stack.positions, wanted)
    excess = np.maximum(frame - window.scale, 0)
    volume[missing] = put_back(
        images, window, apply_weights(weights, frame), apply_weights(weights, excess), native[0]
    )
    rule = "code" if expert else options.label_rule
    own = None if rule == "code" else model.segment(as_batch(images))[0].argmax(1).cpu().numpy()
    for index, z in enumerate(missing):
        maps = native_distances(wanted[index : index + 1])[0]
        if own is not None:
            seen = nested_distances(own[index], (window.spacing, window.spacing), REACH_MM)
            maps = fuse(maps, _resample_maps(seen, window.planes[0], native[0], -REACH_MM), rule)
        out[z] = labels_from_distances(maps)
    return volume, out


def fuse(code: np.ndarray, image: np.ndarray, rule: str) -> np.ndarray:
    """Distance maps (3, H, W) from those interpolated in code space and those of the generated image's own
    labels.

    Where the interpolated code says a structure has ended, it has ended whatever the image seems to show;
    where the image shows none of a structure, or shows it somewhere else altogether, the code stands.
    """
    out = np.clip(code, -REACH_MM, REACH_MM)
    for channel in range(len(out)):
        if (code[channel] > 0).any() and (image[channel] > 0).any():
            joined = image[channel] if rule == "image" else (out[channel] + image[channel]) / 2
            out[channel] = joined if (joined > 0).any() else out[channel]
    return out


def _resample_maps(maps: np.ndarray, source: Plane, target: Plane, fill: float) -> np.ndarray:
    return np.stack([sample_plane(item, source, target, fill=fill) for item in maps])


def _warnings(stack: Stack, displaced: float, layout: Layout, labels: dict[int, np.ndarray]) -> list[str]:
    messages = []
    if displaced > 0:
        messages.append(
            f"The file displaces the slices against each other in their plane by up to {displaced:.1f} mm; "
            "they were resampled to lie straight above each other."
        )
    if stack.gaps.max() > WIDE_GAP_MM:
        messages.append(
            f"Slices are up to {stack.gaps.max():.1f} mm apart; beyond {WIDE_GAP_MM:.0f} mm "
            "what lies between them is largely guessed."
        )
    lost = sorted(set(range(len(stack.origins))) - set(layout.acquired))
    if lost:
        messages.append(
            f"The slices' spacing is irregular: {len(lost)} of {len(stack.origins)} acquired slices fall "
            "between slices of the output grid and are represented by interpolation."
        )
    for label, index in sorted({gap for item in labels.values() for gap in missing_inner_slices(item)}):
        messages.append(
            f"{NAMES[label]} was not found in slice {index + 1} although slices on both sides show it."
        )
    return messages
