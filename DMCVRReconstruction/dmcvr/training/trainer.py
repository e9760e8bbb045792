"""The training loop that segmenter and generator share.

Every step draws its randomness from a seed of its own, so a run that was stopped and resumed goes through the
same batches, views, noise and dropout as one that was not. A checkpoint holds weights, their moving average,
the optimiser's state and the step, as safetensors, written beside and renamed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..errors import InputError


@dataclass(frozen=True)
class TrainingOptions:
    """How long and how to train.

    steps: optimiser steps; the learning rate falls to ``final_rate`` of itself along a cosine over them.
    average: decay of the exponential moving average of the weights, the ones that are shipped.
    clip: largest norm of the gradient.
    checkpoint_every: steps between checkpoints; the last step always writes one.
    """

    steps: int
    batch: int
    learning_rate: float
    warmup: int = 200
    final_rate: float = 0.02
    weight_decay: float = 0.01
    average: float = 0.999
    clip: float = 1.0
    seed: int = 0
    checkpoint_every: int = 500
    log_every: int = 50


def fit(
    module: nn.Module,
    loss: Callable[[], Tensor],
    options: TrainingOptions,
    folder: Path,
    log: Callable[[dict], None],
    subject: dict | None = None,
) -> dict[str, Tensor]:
    """Train ``module`` and return the moving average of its state.

    loss: gives the loss of a fresh random batch; it must take all randomness from torch's global generator.
    folder: holds ``checkpoint.safetensors``, from which a run with equal options and subject goes on, and
        ``log.jsonl``.
    subject: what is trained on what, as JSON can hold it. Raises InputError for the checkpoint of another.
    """
    identity = {"options": asdict(options), "subject": subject or {}}
    folder.mkdir(parents=True, exist_ok=True)
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=options.learning_rate, weight_decay=options.weight_decay)
    average = {name: value.detach().clone() for name, value in module.state_dict().items()}
    first = resume(folder, module, optimiser, average, identity)
    if first:
        log({"resumed_at": first})
    started, seen, total = time.perf_counter(), 0, 0.0
    with (folder / "log.jsonl").open("a", encoding="utf-8") as record:
        for step in range(first, options.steps):
            torch.manual_seed(options.seed * 1_000_003 + step)
            for group in optimiser.param_groups:
                group["lr"] = options.learning_rate * rate(step, options)
            module.train()
            value = loss()
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            nn.utils.clip_grad_norm_(parameters, options.clip)
            optimiser.step()
            update_average(average, module, min(options.average, (1 + step) / (10 + step)))
            seen, total = seen + 1, total + value.item()
            done = step + 1
            if done % options.log_every == 0 or done == options.steps:
                seconds = time.perf_counter() - started
                entry = {
                    "step": done,
                    "loss": round(total / seen, 5),
                    "images_per_second": round(seen * options.batch / seconds, 2),
                }
                log(entry)
                record.write(json.dumps(entry) + "\n")
                record.flush()
                started, seen, total = time.perf_counter(), 0, 0.0
            if done % options.checkpoint_every == 0 or done == options.steps:
                checkpoint(folder, module, optimiser, average, identity, done)
    return average


def rate(step: int, options: TrainingOptions) -> float:
    """The learning rate's factor: linear warm-up, then half a cosine down to ``final_rate``."""
    rise = min(1.0, (step + 1) / max(options.warmup, 1))
    fall = 0.5 * (1 + math.cos(math.pi * step / options.steps))
    return rise * (options.final_rate + (1 - options.final_rate) * fall)


@torch.no_grad()
def update_average(average: dict[str, Tensor], module: nn.Module, decay: float) -> None:
    """Move ``average`` toward the module's state."""
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value.detach(), 1 - decay)
        else:
            average[name].copy_(value)


def checkpoint(folder, module, optimiser, average, identity: dict, step: int) -> None:
    """Write everything ``resume`` needs."""
    tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in state.items()}
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    beside = folder / "checkpoint.writing"
    save_file(tensors, beside, {"step": str(step), "identity": json.dumps(identity, sort_keys=True)})
    beside.replace(folder / "checkpoint.safetensors")


def resume(folder: Path, module, optimiser, average, identity: dict) -> int:
    """Restore the last checkpoint in ``folder`` if there is one; the step to go on with."""
    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return 0
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    if metadata.get("identity") != json.dumps(identity, sort_keys=True):
        raise InputError(
            "The output folder holds a checkpoint of a run with other options; choose another folder."
        )
    tensors = load_file(path)

    def part(prefix: str) -> dict[str, Tensor]:
        return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}

    module.load_state_dict(part("module."))
    for name, value in part("average.").items():
        average[name].copy_(value)
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in part("optimiser.").items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return int(metadata["step"])
