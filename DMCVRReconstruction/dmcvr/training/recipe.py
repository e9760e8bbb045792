"""The one recipe that brings a preset from labelled stacks to a model folder in a given time.

The segmenter is trained first, then semantic encoder and denoiser together, then, where the preset has them,
the networks that know shapes, on simulated hearts: the shift estimator and the shape completer. How many
steps each may take is measured on the device before it begins, so the same command takes the same time on a
graphics card and on a laptop; what it reaches differs. The number is kept, so a run that was stopped goes on
as it began.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ..model.bundle import write_bundle
from ..model.device import describe, placed
from ..model.inference import Model
from ..model.networks.presets import Preset
from ..system.staging import staged_folder
from .journal import Log
from .run import TrainingJob, train
from .simulated_run import TASKS, SimulatedHearts, train_on_hearts
from .slices import Slices
from .task import Task
from .throughput import synchronise
from .trainer import TrainingOptions


@dataclass(frozen=True)
class Stage:
    """One network's part of the recipe. share: of the time."""

    part: str
    share: float
    learning_rate: float
    cpu_batch: int
    cuda_batch: int

    def batch(self, device: torch.device) -> int:
        """Views a step: few on a processor, where steps count more than what they cost."""
        return self.cuda_batch if device.type == "cuda" else self.cpu_batch


STAGES = (
    Stage("segmenter", 0.33, 8e-4, cpu_batch=16, cuda_batch=64),
    Stage("generator", 0.57, 6e-4, cpu_batch=16, cuda_batch=64),
    Stage("shifts", 0.05, 2e-3, cpu_batch=8, cuda_batch=16),
    Stage("shape", 0.05, 2e-3, cpu_batch=4, cuda_batch=8),
)
OVERHEAD = 1.1
"""Time for scores, pictures and checkpoints, as a factor on that of the steps alone."""
FEWEST_STEPS = 10


def run_stages(
    preset: Preset,
    data: Slices,
    held_out: Slices | None,
    simulated: SimulatedHearts,
    minutes: float,
    about: dict,
    folder: Path,
    device: torch.device,
    log: Log,
    seed: int = 0,
) -> Path:
    """Train all networks within about ``minutes`` and return the model folder, ``model`` in ``folder``.

    about: what the card should say, at least name and licence; how it was trained is added.
    """
    weights, told = {}, []
    for stage in (stage for stage in STAGES if stage.part in preset.parts):
        own, seconds = folder / stage.part, 60 * minutes * stage.share
        if stage.part in TASKS:
            options = _options(stage, simulated.task(stage.part, preset, device), seconds, own, device, seed)
        else:
            job = TrainingJob(stage.part, preset)
            options = _options(stage, job.task(data.to(device), None), seconds, own, device, seed)
        log({"part": stage.part, "steps": options.steps, "batch": options.batch})
        if stage.part in TASKS:
            path = train_on_hearts(stage.part, preset, simulated, options, own, device, log)
        else:
            path = train(job, data, held_out, options, own, device, log)
        weights[stage.part] = path
        told.append(f"{stage.part}: {options.steps} steps of {options.batch} views")
    card = {**about, "training": f"{'; '.join(told)}; {len(data.names)} stacks; {describe(device)}."}
    with staged_folder(folder / "model") as staged:
        write_bundle(staged, preset, weights, card)
        Model.load(staged, "cpu", "float32")
    return folder / "model"


def _options(
    stage: Stage,
    task: Task,
    seconds: float,
    folder: Path,
    device: torch.device,
    seed: int,
) -> TrainingOptions:
    """The stage's options, measured at the first call and kept in ``options.json``."""
    path = folder / "options.json"
    if path.exists():
        return TrainingOptions(**json.loads(path.read_text(encoding="utf-8")))
    batch = stage.batch(device)
    step = seconds_a_step(task, batch, device)
    steps = max(FEWEST_STEPS, int(seconds / OVERHEAD / step))
    options = TrainingOptions(
        steps,
        batch,
        stage.learning_rate,
        warmup=min(200, steps // 10),
        judge_every=max(FEWEST_STEPS, steps // 8),
        seed=seed,
    )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(options)), encoding="utf-8")
    return options


def seconds_a_step(task: Task, batch: int, device: torch.device, steps: int = 8) -> float:
    """How long a training step takes on ``device``: the median of ``steps``, after two to warm up."""
    module = placed(task.build(), device)
    optimiser = torch.optim.AdamW(module.parameters())
    times = []
    for _ in range(steps + 2):
        synchronise(device)
        started = time.perf_counter()
        task.loss(module, batch).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        synchronise(device)
        times.append(time.perf_counter() - started)
    return sorted(times[2:])[steps // 2]
