"""The one pipeline: a SAX stack in, a 3D heart out. Prepare, segment, put in register, fill."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch

from ..alignment.register import images_in_register, labels_in_register
from ..alignment.shifts import SliceShifts
from ..anatomy.function import stack_volumes_ml
from ..baselines import BASELINES
from ..baselines.protocol import Method, Synthesis
from ..core.errors import InputError
from ..core.layout import Layout
from ..core.progress import Progress, no_progress
from ..core.stack import Stack
from ..model.inference import Model
from ..model.side_by_side import calls_at_once
from ..system import scratch
from .assembly import DiffusionMethod
from .base import end_at_valve_planes
from .beat_warnings import beat_warnings
from .blank_images import complete_frames, leave_out_blank_slices
from .cycle import LEAST_FRAMES, Cycle, fit_cycle
from .deeprecon_method import DeepReconMethod
from .frames import choose_frames, cycle_volumes
from .heart_window import Window
from .options import BOTH, Options
from .output_grid import plan_layout, straighten
from .register_slices import find_shifts
from .result import Reconstruction
from .stack_labels import label_stack, straighten_labels
from .warnings import warnings_for, warnings_of_options, warnings_without_heart


def reconstruct(
    stack: Stack,
    model: Model | None = None,
    options: Options | None = None,
    progress: Progress = no_progress,
    labels: np.ndarray | None = None,
    lax: Sequence[Stack] = (),
) -> Reconstruction:
    """Reconstruct the missing slices of ``stack``.

    model: may be None only for a method that needs no network, with ``labels`` given.
    labels: (T or 1, S, H, W) uint8, expert labels of the acquired slices, instead of segmenting.
    lax: long-axis images, stacks of one slice each, that tell how slices are displaced.
    progress: called with the stages "segment", "align", "invert", "generate" and "sample".
    Raises InputError where the stack shows no heart or the options do not fit it, ValueError where a model is
    needed and there is none.
    """
    options = options or Options()
    clock = _Clock()
    prepared = _prepare(stack, labels, options)
    with clock("segment"):
        segmented = _segment(prepared, model, options, progress)
    with clock("register"):
        registered = _register(prepared.stack, segmented, lax, model, options)
    method, at_once = _method(options, model, segmented.window, prepared)
    with clock("generate"):
        layout = method.extended(registered.frames, registered.labels, prepared.layout)
        filled = _fill(registered.frames, registered.labels, layout, method, at_once, progress)
        stack_labels = _end_at_base(filled.labels, layout, segmented, registered)
    return Reconstruction(
        volume=filled.volume,
        labels=filled.labels,
        uncertainty=filled.uncertainty,
        grid=layout.grid,
        acquired=layout.acquired,
        stack=registered.frames,
        stack_labels=stack_labels,
        shifts=registered.shifts,
        frames=tuple(segmented.chosen),
        cycle_ml=segmented.lvc_ml,
        cycle_rv_ml=segmented.rvc_ml,
        cycle_fitted=segmented.cycle is not None,
        left_out=segmented.left_out,
        both_phases=options.frame == BOTH,
        seconds=clock.seconds,
        warnings=(
            *prepared.warnings,
            *warnings_without_heart(segmented.without_heart),
            *warnings_for(
                registered.frames,
                prepared.displaced_mm,
                prepared.layout,
                dict(enumerate(registered.labels)),
            ),
            *segmented.contradictions,
            *registered.notes,
        ),
    )


@dataclass(frozen=True)
class _Prepared:
    """A stack whose slices lie straight above each other, having been displaced by up to so many mm; its
    expert labels, if there are any; the layout of its reconstruction; the frames that have an image in every
    slice; and what was left out.
    """

    stack: Stack
    displaced_mm: float
    labels: np.ndarray | None
    layout: Layout
    complete: list[int]
    warnings: list[str]


def _prepare(acquired: Stack, labels: np.ndarray | None, options: Options) -> _Prepared:
    if labels is not None and (
        len(labels) not in (1, len(acquired.frames)) or labels.shape[1:] != acquired.frames.shape[1:]
    ):
        raise InputError("The labels do not have the frames, slices and pixels of the image.")
    acquired, labels, blank_slices = leave_out_blank_slices(acquired, labels)
    complete, blank_frames = complete_frames(acquired)
    stack, displaced = straighten(acquired)
    if labels is not None and displaced > 0:
        labels = straighten_labels(labels, acquired, stack)
    layout = plan_layout(stack, options.spacing)
    warnings = [*blank_slices, *blank_frames, *warnings_of_options(stack, layout, options)]
    return _Prepared(stack, displaced, labels, layout, complete, warnings)


@dataclass(frozen=True)
class _Segmented:
    """Labelled frames: the heart's window; the ``cycle`` fitted over all frames, if one was; LVC and RVC
    volumes by frame; the frames chosen; the outlines (S, H, W) of each that is labelled; frames without a
    heart; all those left out; and what is odd about the volumes over the beat.
    """

    window: Window | None
    cycle: Cycle | None
    lvc_ml: tuple[float | None, ...]
    rvc_ml: tuple[float | None, ...]
    chosen: list[int]
    outlines: dict[int, np.ndarray]
    without_heart: list[int]
    left_out: tuple[int, ...]
    contradictions: list[str]


def _segment(prepared: _Prepared, model: Model | None, options: Options, progress: Progress) -> _Segmented:
    """Label the frames, fit the beat, choose what to reconstruct."""
    window, by_frame = label_stack(
        prepared.stack, model, options.frame, prepared.labels, progress, prepared.complete
    )
    cycle = _fit_cycle(prepared, by_frame, options)
    lvc_ml = cycle.lvc_ml if cycle else cycle_volumes(prepared.stack, by_frame)
    expected = prepared.labels is None and not isinstance(options.frame, int)
    without_heart = [t for t in prepared.complete if expected and lvc_ml[t] is None]
    return _Segmented(
        window=window,
        cycle=cycle,
        lvc_ml=lvc_ml,
        rvc_ml=cycle.rvc_ml if cycle else cycle_volumes(prepared.stack, by_frame, "RVC"),
        chosen=choose_frames(options.frame, lvc_ml),
        outlines=dict(enumerate(cycle.outlines)) if cycle else by_frame,
        without_heart=without_heart,
        left_out=tuple(sorted({*range(len(lvc_ml))} - {*prepared.complete} | {*without_heart})),
        contradictions=beat_warnings(_beat_volumes(prepared.stack, by_frame, cycle)),
    )


def _fit_cycle(prepared: _Prepared, labels: dict[int, np.ndarray], options: Options) -> Cycle | None:
    """The beat fitted over all frames, or None: an expert's labels stand, and a few frames are no beat."""
    count = len(prepared.stack.frames)
    if prepared.labels is not None or not options.fit_cycle or len(labels) < count or count < LEAST_FRAMES:
        return None
    together = np.stack([labels[t] for t in range(count)])
    return fit_cycle(together, prepared.stack.positions, prepared.stack.spacing)


def _beat_volumes(stack: Stack, labels: dict[int, np.ndarray], cycle: Cycle | None) -> list[dict[str, float]]:
    """Volumes in ml of every labelled frame: the cavities' up to the valve planes, where these are known; the
    muscle's as each frame shows it, not held constant.
    """
    area = float(np.prod(stack.spacing))
    volumes = [stack_volumes_ml(item, stack.positions, area) for item in labels.values()]
    if cycle is None:
        return volumes
    return [{**fitted, "LVM": own["LVM"]} for fitted, own in zip(cycle.volumes, volumes, strict=True)]


@dataclass(frozen=True)
class _Registered:
    """The chosen frames and their labels (T, S, H, W) with slices in register, by which ``shifts``; and what
    the user should know of it.
    """

    frames: Stack
    labels: np.ndarray
    shifts: SliceShifts
    notes: tuple[str, ...]


def _register(
    stack: Stack, segmented: _Segmented, lax: Sequence[Stack], model: Model | None, options: Options
) -> _Registered:
    """Find the slices' breath-hold shifts and undo them in the chosen frames."""
    shifts, notes = find_shifts(stack, segmented.outlines.values(), lax, options.align, model)
    frames = images_in_register(stack.select(frames=list(segmented.chosen)), shifts)
    outlines = np.stack([segmented.outlines[t] for t in segmented.chosen])
    return _Registered(frames, labels_in_register(outlines, frames, shifts), shifts, notes)


def _end_at_base(
    labels: np.ndarray, layout: Layout, segmented: _Segmented, registered: _Registered
) -> np.ndarray:
    """End reconstructed ``labels`` (T, Z, H, W) at the valve planes where a beat was fitted, in place; the
    labels (T, S, H, W) of the acquired slices that go with them.
    """
    cycle, chosen = segmented.cycle, segmented.chosen
    if cycle is None:
        return registered.labels
    end_at_valve_planes(labels, layout.wanted, cycle.left, cycle.right, chosen)
    return labels_in_register(cycle.labels[chosen], registered.frames, registered.shifts)


def _method(
    options: Options, model: Model | None, window: Window | None, prepared: _Prepared
) -> tuple[Method, int]:
    """The method the options name, and how many frames it takes at a time: as fit in a batch or run side by
    side.
    """
    if not options.needs_model:
        return BASELINES[options.method], 1
    if model is None or window is None:
        raise ValueError("Without a model only baselines without networks can run.")
    if options.method == "deeprecon":
        if model.deeprecon is None:
            raise ValueError("The model was loaded without that of the method deeprecon.")
        return DeepReconMethod(model.deeprecon, window, options), 1
    # An expert's labels are not to be mixed with a network's.
    label_rule = options.label_rule if prepared.labels is None else "code"
    generator = torch.Generator().manual_seed(options.seed)
    at_once = max(model.batch // len(prepared.layout.wanted), calls_at_once())
    return DiffusionMethod(model, window, options, label_rule, generator), at_once


def _fill(
    stack: Stack, labels: np.ndarray, layout: Layout, method: Method, at_once: int, progress: Progress
) -> Synthesis:
    """Full volumes of all frames of ``stack``, ``at_once`` of them at a time."""
    count = len(stack.frames)
    shape = (count, *layout.grid.shape)
    volume, out = scratch.empty(shape, np.float32), scratch.empty(shape, np.uint8)
    uncertainty = None
    for start in range(0, count, at_once):
        at = slice(start, start + at_once)
        part = stack.select(frames=at)

        def of_all(
            stage: str, done: int, total: int, start: int = start, some: int = len(part.frames)
        ) -> None:
            each = total // some
            progress(stage, start * each + done, count * each)

        made = method(part, labels[at], layout, of_all)
        volume[at], out[at] = made.volume, made.labels
        if made.uncertainty is not None:
            uncertainty = scratch.empty(shape, np.float32) if uncertainty is None else uncertainty
            uncertainty[at] = made.uncertainty
            scratch.release(uncertainty)
        scratch.release(volume)
        scratch.release(out)
    return Synthesis(volume, out, uncertainty)


@dataclass
class _Clock:
    """Adds up the seconds spent in each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started
