"""One training run of a network that learns from simulated hearts: of their shifts, or of their shape."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ..core.errors import InputError
from ..model.networks.presets import Preset
from .distributed import joined
from .heart_distances import HeartDistances
from .journal import Log
from .shape_completer import ShapeCompleterTask
from .shift_estimator import ShiftEstimatorTask
from .task import Task
from .trainer import TrainingOptions, fit, save_weights

TASKS: dict[str, type[ShiftEstimatorTask] | type[ShapeCompleterTask]] = {
    "shifts": ShiftEstimatorTask,
    "shape": ShapeCompleterTask,
}
"""By part of the bundle."""


@dataclass(frozen=True)
class SimulatedHearts:
    """trained_on: hearts to simulate stacks of. held_out: hearts kept apart, on which a run scores itself;
    None for none.
    """

    trained_on: HeartDistances
    held_out: HeartDistances | None = None

    def task(self, part: str, preset: Preset, device: torch.device) -> Task:
        """The task of training ``part`` of ``preset``. Raises InputError where the preset has none."""
        sizes = getattr(preset, part)
        if sizes is None:
            raise InputError(f"The preset {preset.name} has no network for {part}.")
        return TASKS[part](self.trained_on, self.held_out, sizes, device)


def train_on_hearts(
    part: str,
    preset: Preset,
    hearts: SimulatedHearts,
    options: TrainingOptions,
    folder: Path,
    device: torch.device,
    log: Log,
) -> Path:
    """Train ``part`` of ``preset`` and return the path of the weights, ``PART.safetensors`` in ``folder``.

    Raises InputError where ``folder`` holds another run's checkpoint.
    """
    with joined(device) as (world, device):
        task = hearts.task(part, preset, device)
        torch.manual_seed(options.seed)
        module = task.build().to(device)
        subject = {
            "part": part,
            "sizes": asdict(getattr(preset, part)),
            "hearts": list(hearts.trained_on.names),
        }
        average = fit(task, module, options, folder, log, device, subject, world)
        path = folder / f"{part}.safetensors"
        if world.is_first:
            save_weights(average, path)
        world.wait()
    return path
