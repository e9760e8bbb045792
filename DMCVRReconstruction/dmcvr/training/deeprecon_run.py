"""One training run of the DeepRecon-style baseline, from prepared slices to a model folder of its own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from ..model.bundle import write_bundle
from ..model.deeprecon_model import DeepReconModel
from ..model.device import describe, placed
from ..model.networks.deeprecon_preset import DeepReconPreset
from ..system.staging import staged_folder
from .checkpoint import claim_run_folder
from .deeprecon_task import DeepReconTask
from .distributed import joined
from .journal import Log
from .slices import Slices
from .trainer import TrainingOptions, fit, save_weights


def train_deeprecon(
    preset: DeepReconPreset,
    slices: tuple[Slices, Slices | None],
    options: TrainingOptions,
    about: dict,
    folder: Path,
    device: torch.device,
    log: Log,
) -> Path:
    """Train and return the model folder, ``model`` in ``folder``.

    slices: to train on, and those kept apart, on which the run scores itself. about: what the card should
    say, at least name and licence; how it was trained is added. Raises InputError where ``folder`` holds
    another run's checkpoint.
    """
    data, held_out = slices
    model = folder / "model"
    with joined(device) as (world, device):
        if world.is_first:
            claim_run_folder(folder, "deeprecon")
        world.wait()
        task = DeepReconTask(data.to(device), None if held_out is None else held_out.to(device), preset)
        torch.manual_seed(options.seed)
        module = placed(task.build(), device)
        subject = {"part": task.part, "preset": asdict(preset), "stacks": data.names}
        average = fit(task, module, options, folder, log, device, subject, world)
        if world.is_first:
            weights = folder / "deeprecon.safetensors"
            save_weights(average, weights)
            course = f"{options.steps} steps of {options.batch} views"
            about = {**about, "training": f"{course}; {len(data.names)} stacks; {describe(device)}."}
            with staged_folder(model) as staged:
                write_bundle(staged, preset, {task.part: weights}, about)
                DeepReconModel.load(staged, "cpu", "float32")
        world.wait()
    return model
