"""The one pipeline: a SAX stack in, a 3D heart out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from ..anatomy.function import ejection_fraction, stack_volumes_ml, volumes_ml
from ..baselines import BASELINES
from ..core.errors import InputError
from ..core.geometry import Grid
from ..core.stack import Stack
from ..model.inference import Model
from ..system import scratch
from .assembly import LABEL_RULES, Synthesis, synthesise_frames
from .frames import choose_frames, cycle_volumes, label_stack, straighten_labels
from .output_grid import plan, straighten
from .slice_generator import GenerationOptions, Progress
from .warnings import cautions

METHODS = ("dmcvr", "diffae", *BASELINES)


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
    samples: how many plausible slices are drawn for each generated one, whose spread tells how uncertain it
        is; 0 for none.
    seed: of torch's generator.
    """

    method: str = "dmcvr"
    spacing: float | None = None
    frame: str | int = "ed"
    generation: GenerationOptions = field(default_factory=GenerationOptions)
    keep_acquired: bool = True
    label_rule: str = "code"
    samples: int = 0
    seed: int = 0

    def __post_init__(self):
        if self.method not in METHODS:
            raise InputError(f"There is no method {self.method!r}; choose one of {', '.join(METHODS)}.")
        if self.label_rule not in LABEL_RULES:
            raise InputError(
                f"There is no label rule {self.label_rule!r}; choose one of {', '.join(LABEL_RULES)}."
            )
        if self.samples and (self.samples < 2 or self.method in BASELINES):
            raise InputError(
                "Uncertainty takes at least 2 samples of a method that generates: dmcvr or diffae."
            )

    @property
    def diffusion(self) -> GenerationOptions:
        """How slices are generated: as asked for, but for DiffAE by the paper's rule and without l_mor."""
        if self.method == "diffae":
            return replace(self.generation, rule="paper", morphology=False)
        return self.generation


@dataclass(frozen=True)
class Reconstruction:
    """A heart in 3D, over time if more than one frame was asked for.

    volume: (T, Z, Y, X) float32, the stack's intensities. labels: the same shape, uint8. grid: where both
        lie.
    uncertainty: (T, Z, Y, X) float32, standard deviation of the intensity over samples; 0 in acquired slices
        and outside the heart's window. None if no samples were asked for.
    acquired: (Z,) index of the acquired slice at each z, None where the slice was generated.
    stack, stack_labels: the T frames as acquired, and their labels (T, S, H, W).
    frames: (T,) which frames of the input they are.
    cycle_ml: LVC volume by disc summation in every frame of the input that was segmented, None in the others.
        Where only end-diastole or end-systole was asked for, other frames were segmented less carefully.
    seconds: per stage. warnings: plain sentences.
    """

    volume: np.ndarray
    labels: np.ndarray
    uncertainty: np.ndarray | None
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
        """In %, by the largest and smallest LV cavity; None unless the whole cine was reconstructed."""
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
    progress: ``progress(stage, done, total)`` with the stages "segment", "align", "invert", "generate" and
        "sample"; an exception raised in it ends the run.
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
        labels = straighten_labels(labels, acquired, stack)
    layout = plan(stack, options.spacing)

    with clock("segment"):
        window, stack_labels = label_stack(stack, model, options.frame, labels, progress)
    cycle = cycle_volumes(stack, stack_labels)
    chosen = choose_frames(options.frame, cycle)
    warnings = cautions(stack, displaced, layout, {t: stack_labels[t] for t in chosen})

    shape = (len(chosen), *layout.grid.shape)
    volume, out = scratch.empty(shape, np.float32), scratch.empty(shape, np.uint8)
    uncertainty = scratch.empty(shape, np.float32) if options.samples else None
    # As many frames at a time as fit in a batch.
    together = 1 if options.method in BASELINES else max(1, model.batch // len(layout.wanted))
    for start in range(0, len(chosen), together):
        at = slice(start, start + together)
        frames, own = stack.frames[chosen[at]], np.stack([stack_labels[t] for t in chosen[at]])

        def step(stage: str, done: int, total: int, start: int = start, some: int = len(frames)) -> None:
            each = total // some
            progress(stage, start * each + done, len(chosen) * each)

        with clock("generate"):
            if options.method in BASELINES:
                image, drawn = BASELINES[options.method](
                    frames[0], own[0], stack.positions, layout.wanted, stack.spacing
                )
                made = Synthesis(image[None], drawn[None], None)
                step("generate", 1, 1)
            else:
                made = synthesise_frames(
                    model,
                    stack,
                    frames,
                    own,
                    window,
                    layout,
                    options.diffusion,
                    keep_acquired=options.keep_acquired,
                    # An expert's labels are not to be mixed with a network's.
                    label_rule="code" if labels is not None else options.label_rule,
                    samples=options.samples,
                    progress=step,
                )
        volume[at], out[at] = made.volume, made.labels
        if uncertainty is not None:
            uncertainty[at] = made.uncertainty
            scratch.settle(uncertainty)
        scratch.settle(volume)
        scratch.settle(out)
    return Reconstruction(
        volume=volume,
        labels=out,
        uncertainty=uncertainty,
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
