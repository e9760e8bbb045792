"""One training run of one network, from prepared slices to weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from ..core.errors import InputError
from ..model.device import placed
from ..model.networks.presets import Preset, to_dict
from ..model.networks.segmenters import Segmenter, build_segmenter
from .calibration import calibrate
from .checkpoint import claim_run_folder
from .distributed import joined
from .generator import GeneratorTask
from .journal import Log
from .segmenter import SegmenterTask
from .slices import Slices
from .task import Task
from .trainer import TrainingOptions, fit, save_weights

PARTS = ("segmenter", "generator")


@dataclasses.dataclass(frozen=True)
class TrainingJob:
    """What is to be trained, but for the data.

    part: one of PARTS. size: side in pixels of the views trained on, which always show the preset's window;
    None takes the preset's. Half the size is half the resolution, at about a third of the cost: a good first
    stage.
    init: weights of an earlier run to start from.
    segmenter: weights that give the morphology code to the generator of a preset that takes the segmenter's
        bottleneck.
    """

    part: str
    preset: Preset
    size: int | None = None
    init: Path | None = None
    segmenter: Path | None = None

    @property
    def viewed(self) -> Preset:
        """The preset with the images that are trained on. Raises InputError where ``size`` does not suit."""
        if self.size is None:
            return self.preset
        denoiser, segmenter = self.preset.denoiser, self.preset.segmenter
        least = segmenter.stride if self.part == "segmenter" else 2 ** (len(denoiser.multipliers) - 1)
        if self.size % least:
            raise InputError(f"The size must be a multiple of {least} for this {self.part}.")
        return resized(self.preset, self.size)

    def task(self, data: Slices, held_out: Slices | None) -> Task:
        """The task on this data. Raises InputError where weights are missing or do not fit."""
        if self.part == "segmenter":
            return SegmenterTask(data, held_out, self.viewed)
        segmenter = None
        if self.preset.morphology == "bottleneck":
            if self.segmenter is None:
                raise InputError(
                    "This preset's generator needs a trained segmenter; give it with --segmenter."
                )
            segmenter = build_segmenter(self.preset.segmenter).eval().requires_grad_(False).to(data.device)
            fill(segmenter, self.segmenter, "The weights for --segmenter do not fit this preset.")
        return GeneratorTask(data, held_out, self.viewed, segmenter)


def resized(preset: Preset, size: int) -> Preset:
    """``preset`` with images of ``size`` pixels a side that show the same window."""
    if preset.spacing_mm is None:
        raise InputError("This preset keeps each stack's own pixels; --size is not for it.")
    window = preset.image_size * preset.spacing_mm
    return dataclasses.replace(preset, image_size=size, spacing_mm=window / size)


def fill(module: nn.Module, path: Path, complaint: str) -> None:
    """Load weights into ``module``. Raises InputError with ``complaint`` where they do not fit."""
    try:
        module.load_state_dict(load_file(path))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise InputError(complaint) from error


def train(
    job: TrainingJob,
    data: Slices,
    held_out: Slices | None,
    options: TrainingOptions,
    folder: Path,
    device: torch.device,
    log: Log,
) -> Path:
    """Train and return the path of the weights, ``PART.safetensors`` in ``folder``.

    held_out: cases kept apart, on which the run scores itself. In a run of several processes all return, once
    the first has written the weights. Raises InputError where given weights do not
    fit the preset or ``folder`` holds another run's checkpoint.
    """
    with joined(device) as (world, device):
        if world.is_first:
            claim_run_folder(folder, job.part)
        world.wait()
        task = job.task(data.to(device), None if held_out is None else held_out.to(device))
        torch.manual_seed(options.seed)
        module = task.build()
        if job.init is not None:
            fill(module, job.init, f"The weights to start from are none of a {job.part} of this preset.")
        module = placed(module, device)
        subject = {"part": job.part, "preset": to_dict(job.viewed), "stacks": data.names}
        average = fit(task, module, options, folder, log, device, subject, world)
        if isinstance(task, SegmenterTask):
            assert isinstance(average, Segmenter)  # which a SegmenterTask builds
            shift = calibrate(average, task)
            if world.is_first:
                log({"shift of the myocardium's score": round(shift, 4)})
        path = folder / f"{job.part}.safetensors"
        if world.is_first:
            save_weights(average, path)
        world.wait()
    return path
