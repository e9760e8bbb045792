"""Several processes: what `World` does alone, and that two of them take one step together as one would."""

import sys
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from dmcvr.core.errors import InputError
from dmcvr.training.distributed import ALONE, World, joined
from dmcvr.training.run import TrainingJob
from dmcvr.training.trainer import TrainingOptions, fit

CPU = torch.device("cpu")
OPTIONS = TrainingOptions(steps=3, batch=4, learning_rate=1e-3, warmup=0, average=0.5, seed=5)


def test_alone_nothing_is_shared():
    assert ALONE.share(7) == 7
    assert ALONE.is_first
    assert ALONE.should_stop(True, 3)
    assert not ALONE.should_stop(False, 10)
    assert ALONE.mean(2.5) == 2.5
    module = torch.nn.Linear(1, 1)
    assert ALONE.parallel(module, CPU) is module


def test_a_batch_is_divided_evenly_or_not_at_all():
    assert World(1, 4).share(12) == 3
    with pytest.raises(InputError, match="divided"):
        World(1, 4).share(10)


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined(CPU) as (world, device):
        assert world is ALONE
        assert device == CPU


def member(rank: int, port: int, folder: Path, preset, hearts, answers) -> None:
    """One of two processes: train, and answer with the weights."""
    import os

    os.environ |= {
        "RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    torch.set_num_threads(1)
    with joined(CPU) as (world, _):
        task = TrainingJob("segmenter", preset).task(hearts, None)
        torch.manual_seed(0)
        module = task.build()
        fit(task, module, OPTIONS, folder, lambda entry: None, CPU, world=world)
        answers.put((rank, {name: value.numpy() for name, value in module.state_dict().items()}))


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
def test_two_processes_step_by_the_mean_of_their_gradients(tiny, hearts, tmp_path):
    """Against one process that draws both shares with the seeds they have and averages by itself."""
    context = get_context("spawn")
    answers, port = context.Queue(), free_port()
    members = [
        context.Process(target=member, args=(rank, port, tmp_path, tiny, hearts, answers)) for rank in (0, 1)
    ]
    for process in members:
        process.start()
    found = dict(answers.get(timeout=120) for _ in members)
    for process in members:
        process.join(30)
    for name, value in found[0].items():
        # Statistics of batch norm are each process's own.
        assert "running_" in name or (found[1][name] == value).all(), name

    task = TrainingJob("segmenter", tiny).task(hearts, None)
    torch.manual_seed(0)
    module = task.build().train()
    optimiser = torch.optim.AdamW(module.parameters(), lr=OPTIONS.learning_rate, weight_decay=0.01)
    for step in range(OPTIONS.steps):
        optimiser.zero_grad()
        for rank in (0, 1):
            torch.manual_seed((OPTIONS.seed * 1_000_003 + step) * 2 + rank)
            (task.loss(module, 2) / 2).backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), OPTIONS.clip)
        for group in optimiser.param_groups:
            group["lr"] = OPTIONS.learning_rate * (
                0.51 + 0.49 * torch.cos(torch.tensor(torch.pi * step / 3)).item()
            )
        optimiser.step()
    for name, value in module.named_parameters():
        torch.testing.assert_close(value.detach(), torch.from_numpy(found[0][name]), rtol=2e-3, atol=2e-5)


pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="gloo over loopback is tested on Linux and macOS"
)
