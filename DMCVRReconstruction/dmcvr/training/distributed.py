"""One training run in several processes, as ``torchrun`` starts them.

``torchrun --nproc-per-node 4 -m dmcvr train ...`` gives every process a rank. Each draws its own share of a
batch from a seed of its own and `DistributedDataParallel` averages the gradients, so all hold the same
weights; the first process alone writes files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ..core.errors import InputError

ASK_EVERY = 10


@dataclass(frozen=True)
class World:
    """The processes of a run: this one's rank and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share(self, batch: int) -> int:
        """This process's part of ``batch`` views. Raises InputError where it cannot be divided evenly."""
        if batch % self.size:
            raise InputError(f"A batch of {batch} cannot be divided among {self.size} processes.")
        return batch // self.size

    def parallel(self, module: nn.Module, device: torch.device) -> nn.Module:
        """``module`` with gradients averaged over all processes."""
        if self.size == 1:
            return module
        return DistributedDataParallel(module, device_ids=[device.index] if device.type == "cuda" else None)

    def should_stop(self, told: bool, step: int) -> bool:
        """Whether any process was told to stop, so that all do so after the same step. Several processes ask
        each other every few steps only, since asking makes them wait.
        """
        if self.size == 1:
            return told
        return step % ASK_EVERY == 0 and bool(self._reduced(float(told), dist.ReduceOp.MAX))

    def mean(self, value: float) -> float:
        """The mean of ``value`` over all processes."""
        return value if self.size == 1 else self._reduced(value, dist.ReduceOp.SUM) / self.size

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()

    def _reduced(self, value: float, operation) -> float:
        on_cuda = dist.get_backend() == "nccl"
        number = torch.tensor(value, dtype=torch.float64, device="cuda" if on_cuda else "cpu")
        dist.all_reduce(number, operation)
        return float(number)


ALONE = World()


@contextmanager
def joined(device: torch.device) -> Iterator[tuple[World, torch.device]]:
    """This process's place in the run and its device; alone where ``torchrun`` did not start it."""
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        yield ALONE, device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), size), device
    finally:
        dist.destroy_process_group()
