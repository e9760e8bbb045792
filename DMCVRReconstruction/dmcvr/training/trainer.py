"""The training loop that all networks share.

Every step draws its randomness from a seed of its own, so a run that was killed and resumed goes through the
same batches, views, noise and dropout as one that was not, and ends bit for bit the same. A run that is told
to stop (an interrupt or a termination signal) ends its step and writes a checkpoint first, so nothing is
lost.
"""

from __future__ import annotations

import copy
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ..model.device import choose_precision
from .checkpoint import Checkpoint
from .distributed import ALONE, World
from .journal import Journal, Log
from .task import Task
from .throughput import flops_of, peak_flops, synchronise


@dataclass(frozen=True)
class TrainingOptions:
    """How long and how to train.

    steps: optimiser steps; the learning rate falls to ``final_rate`` of itself along a cosine over them.
    batch: views a step, over all processes together.
    average: decay of the exponential moving average of the weights, the ones that are shipped.
    clip: largest norm of the gradient.
    checkpoint_every, log_every, judge_every: steps between checkpoints, lines of the log, and scores and
        pictures; the last step always has all three.
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
    judge_every: int = 1000


def fit(
    task: Task,
    module: nn.Module,
    options: TrainingOptions,
    folder: Path,
    log: Log,
    device: torch.device,
    subject: dict | None = None,
    world: World = ALONE,
) -> nn.Module:
    """Train ``module`` and return the moving average of it, in evaluation mode.

    module: on ``device``.
    folder: holds the checkpoint, from which a run with equal options and subject goes on, and the journal.
    subject: what is trained on what, as JSON can hold it. Raises InputError for the checkpoint of another.
    Raises FloatingPointError where the loss is no number any more, KeyboardInterrupt when told to stop.
    """
    count = world.share(options.batch)
    if world.is_first:
        folder.mkdir(parents=True, exist_ok=True)
    world.wait()
    average = copy.deepcopy(module).eval().requires_grad_(False)
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=options.learning_rate, weight_decay=options.weight_decay)
    identity = {"options": asdict(options), "subject": subject or {}, "processes": world.size}
    checkpoint = Checkpoint(folder, module, average, optimiser, identity)
    first = checkpoint.resume()
    world.wait()
    parallel = world.parallel(module, device)
    meter = _Meter(task, module, options.batch, device)
    with _journal(folder, first, log, world) as journal, _stop_requested() as told:
        if first and journal is not None:
            log({"resumed_at": first})
        for step in range(first, options.steps):
            torch.manual_seed((options.seed * 1_000_003 + step) * world.size + world.rank)
            for group in optimiser.param_groups:
                group["lr"] = options.learning_rate * rate(step, options)
            module.train()
            value = task.loss(parallel, count)
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            nn.utils.clip_grad_norm_(parameters, options.clip)
            optimiser.step()
            update_average(average, module, min(options.average, (1 + step) / (10 + step)))
            meter.count(value)
            done = step + 1
            last = done == options.steps
            if last or done % options.log_every == 0:
                values = meter.read(world)
                if journal is not None:
                    journal.scalars(done, values)
                if not math.isfinite(values["loss"]):
                    raise FloatingPointError(
                        f"The loss is no number any more after {done} steps; train with a lower rate."
                    )
            if journal is not None and (last or done % options.judge_every == 0):
                _judge(task, average, journal, done)
                meter.pause()
            stop = world.should_stop(told.is_set(), done)
            if world.is_first and (last or stop or done % options.checkpoint_every == 0):
                checkpoint.write(done)
            if stop and not last:
                raise KeyboardInterrupt
    world.wait()
    return average


def save_weights(module: nn.Module, path: Path) -> None:
    """Write the weights of ``module`` to ``path``, a safetensors file."""
    state = module.state_dict()
    save_file({name: value.detach().cpu().contiguous() for name, value in state.items()}, path)


def rate(step: int, options: TrainingOptions) -> float:
    """The learning rate's factor: linear warm-up, then half a cosine down to ``final_rate``."""
    rise = min(1.0, (step + 1) / max(options.warmup, 1))
    fall = 0.5 * (1 + math.cos(math.pi * step / options.steps))
    return rise * (options.final_rate + (1 - options.final_rate) * fall)


@torch.no_grad()
def update_average(average: nn.Module, module: nn.Module, decay: float) -> None:
    """Move ``average`` toward ``module``."""
    ours, theirs = average.state_dict(), module.state_dict()
    moving = [name for name, value in ours.items() if value.is_floating_point()]
    torch._foreach_lerp_([ours[name] for name in moving], [theirs[name] for name in moving], 1 - decay)
    for name in ours.keys() - set(moving):
        ours[name].copy_(theirs[name])


def _judge(task: Task, average: nn.Module, journal: Journal, step: int) -> None:
    scores = task.scores(average)
    if scores:
        journal.scalars(step, {f"held out {name}": round(value, 5) for name, value in scores.items()})
    journal.picture(step, task.picture(average))


@contextmanager
def _journal(folder: Path, first: int, log: Log, world: World) -> Iterator[Journal | None]:
    if not world.is_first:
        yield None
        return
    with Journal(folder, first, log) as journal:
        yield journal


@contextmanager
def _stop_requested() -> Iterator[threading.Event]:
    """An event that an interrupt or a termination signal sets within the block, in place of raising."""
    told = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield told  # only the main thread may handle signals
        return
    before = {
        number: signal.signal(number, lambda *_: told.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Meter:
    """Loss and speed between two lines of the log."""

    def __init__(self, task: Task, module: nn.Module, batch: int, device: torch.device):
        self.device, self.batch = device, batch
        # On a copy, for a network may change its buffers in every pass.
        trial = copy.deepcopy(module)
        self.flops = flops_of(lambda: task.loss(trial, 1).backward()) * batch
        self.peak = peak_flops(device, choose_precision("auto", device))
        self._restart()

    def _restart(self) -> None:
        self.steps, self.total, self.seconds = 0, torch.zeros((), device=self.device), 0.0
        self.started = time.perf_counter()

    def count(self, loss: Tensor) -> None:
        """Note one step."""
        self.total += loss.detach()
        self.steps += 1

    def pause(self) -> None:
        """Leave out the time since the last call of `read`."""
        self._restart()

    def read(self, world: World) -> dict[str, float]:
        """The mean loss and the speed since the last call, over all processes."""
        synchronise(self.device)
        each = (time.perf_counter() - self.started) / self.steps
        loss = world.mean(self.total.item() / self.steps)
        self._restart()
        return {
            "loss": round(loss, 5),
            "images_per_second": round(self.batch / each, 2),
            "share_of_peak": float(f"{self.flops / each / (self.peak * world.size):.3g}"),
        }
