"""One training run of a network that learns from simulated hearts: of their shifts, or of their shape."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file

from ..model.networks.presets import ShapeCompleterConfig, ShiftEstimatorConfig
from .distributed import joined
from .heart_distances import HeartDistances
from .journal import Log
from .shape_completer import ShapeCompleterTask
from .shift_estimator import ShiftEstimatorTask
from .trainer import TrainingOptions, fit

TASKS = {
    "shifts": (ShiftEstimatorTask, ShiftEstimatorConfig),
    "shape": (ShapeCompleterTask, ShapeCompleterConfig),
}
"""By part of the bundle: the task, and the network's sizes."""


def train_on_hearts(
    part: str,
    hearts: HeartDistances,
    held_out: HeartDistances | None,
    options: TrainingOptions,
    folder: Path,
    device: torch.device,
    log: Log,
) -> Path:
    """Train ``part`` and return the path of the weights, ``PART.safetensors`` in ``folder``.

    held_out: hearts kept apart, on which the run scores itself. Raises InputError where ``folder`` holds
    another run's checkpoint.
    """
    kind, sizes = TASKS[part]
    with joined(device) as (world, device):
        task = kind(hearts, held_out, sizes(), device)
        torch.manual_seed(options.seed)
        module = task.build().to(device, memory_format=torch.preserve_format)
        subject = {"part": part, "sizes": asdict(sizes()), "hearts": list(hearts.names)}
        average = fit(task, module, options, folder, log, device, subject, world)
        path = folder / f"{part}.safetensors"
        if world.is_first:
            state = average.state_dict()
            save_file({name: value.detach().cpu().contiguous() for name, value in state.items()}, path)
        world.wait()
    return path
