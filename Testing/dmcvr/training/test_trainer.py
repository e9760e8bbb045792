"""The training loop: its average, its learning rate, and that a stopped run loses nothing."""

import json
import os
import signal
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from dmcvr.core.errors import InputError
from dmcvr.training.trainer import TrainingOptions, fit, rate, update_average
from torch import nn

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
OPTIONS = TrainingOptions(
    steps=12,
    batch=4,
    learning_rate=0.05,
    warmup=3,
    average=0.9,
    checkpoint_every=5,
    log_every=4,
    judge_every=6,
)


def network() -> nn.Module:
    """Weights, dropout and a buffer that changes in training: everything a checkpoint must hold."""
    torch.manual_seed(7)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1))


@dataclass
class Adding:
    """The task of adding numbers. fails_at: the call of ``loss`` by the loop that fails, counted from 1."""

    fails_at: int | None = None
    calls: int = 0
    part = "adding"

    def build(self) -> nn.Module:
        return network()

    def loss(self, module: nn.Module, count: int) -> torch.Tensor:
        self.calls += count > 2  # the loop itself counts operations on less
        if self.calls == self.fails_at:
            raise RuntimeError("power cut")
        x = torch.randn(4 * count, 6)
        return (module(x)[:, 0] - x.sum(1)).square().mean()

    def scores(self, module: nn.Module) -> dict[str, float]:
        assert not module.training
        x = torch.eye(6)
        return {"error": float((module(x)[:, 0] - 1).abs().mean())}

    def picture(self, module: nn.Module) -> np.ndarray:
        return np.full((4, 6, 3), int(255 * min(1.0, self.scores(module)["error"])), np.uint8)


def run(folder, options=OPTIONS, stop_after=None, entries=None, subject=None):
    """Train `network`; raises RuntimeError in step ``stop_after`` + 1."""
    module = network()
    log = (lambda entry: None) if entries is None else entries.append
    task = Adding(None if stop_after is None else stop_after + 1)
    average = fit(task, module, options, folder, log, CPU, subject)
    return module.state_dict(), average.state_dict()


def equal(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("stops", [(7,), (5,), (3,), (11,), (2, 9), (6, 1, 4)], ids=str)
def test_a_killed_and_resumed_run_ends_bit_for_bit_like_one_that_was_not(tmp_path, uninterrupted, stops):
    """Also when it is killed between checkpoints, before the first, and several times over."""
    for stop in stops:
        with pytest.raises(RuntimeError, match="power cut"):
            run(tmp_path, stop_after=stop)
    weights, average = run(tmp_path)
    assert equal(weights, uninterrupted[0])
    assert equal(average, uninterrupted[1])


def test_a_resumed_run_goes_on_from_the_checkpoint(tmp_path):
    with pytest.raises(RuntimeError):
        run(tmp_path, stop_after=7)
    entries = []
    run(tmp_path, entries=entries)  # 5 of 12 steps are done, 7 are left
    assert entries[0] == {"resumed_at": 5}


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(tmp_path, uninterrupted):
    with pytest.raises(RuntimeError):
        run(tmp_path, stop_after=7)
    (tmp_path / "checkpoint.writing").write_bytes(b"half a file")
    assert equal(run(tmp_path)[1], uninterrupted[1])


def test_a_finished_run_called_again_takes_no_step(tmp_path, uninterrupted):
    run(tmp_path)
    weights, average = run(tmp_path, stop_after=0)
    assert equal(weights, uninterrupted[0])
    assert equal(average, uninterrupted[1])


@pytest.mark.parametrize(
    "change", [{"steps": 13}, {"seed": 1}, {"learning_rate": 0.01}, {"average": 0.5}], ids=str
)
def test_a_checkpoint_of_other_options_is_refused(tmp_path, change):
    run(tmp_path)
    with pytest.raises(InputError, match="other options"):
        run(tmp_path, replace(OPTIONS, **change))


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    run(tmp_path, subject={"part": "segmenter"})
    with pytest.raises(InputError, match="choose another folder"):
        run(tmp_path, subject={"part": "generator"})
    run(tmp_path, subject={"part": "segmenter"})


def test_the_seed_decides(tmp_path, uninterrupted):
    same, _ = run(tmp_path / "same")
    other, _ = run(tmp_path / "other", replace(OPTIONS, seed=1))
    assert equal(same, uninterrupted[0])
    assert not equal(other, uninterrupted[0])


def test_training_lowers_the_loss_and_says_so(tmp_path):
    entries = []
    run(tmp_path, replace(OPTIONS, steps=200, log_every=20, judge_every=100), entries=entries)
    losses = [entry for entry in entries if "loss" in entry]
    assert [entry["step"] for entry in losses] == list(range(20, 201, 20))
    assert losses[-1]["loss"] < 0.5 * losses[0]["loss"]
    assert all(entry["images_per_second"] > 0 and 0 < entry["share_of_peak"] < 1 for entry in losses)
    scores = [entry for entry in entries if "held out error" in entry]
    assert [entry["step"] for entry in scores] == [100, 200]
    assert scores[1]["held out error"] < 0.5 * Adding().scores(network().eval())["error"]
    lines = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == entries


def told_again(folder) -> list[dict]:
    """The journal without what depends on the machine's speed."""
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    speed = ("images_per_second", "share_of_peak")
    return [{k: v for k, v in json.loads(line).items() if k not in speed} for line in lines]


def test_the_records_of_a_resumed_run_read_as_of_one_that_was_not_stopped(tmp_path):
    run(tmp_path / "whole")
    with pytest.raises(RuntimeError):
        run(tmp_path / "killed", stop_after=9)  # after the lines of steps 6 and 8, beyond the checkpoint of 5
    run(tmp_path / "killed")
    assert told_again(tmp_path / "killed") == told_again(tmp_path / "whole")
    pictures = [
        sorted(path.name for path in (tmp_path / name / "samples").iterdir()) for name in ("whole", "killed")
    ]
    assert pictures[0] == pictures[1] == ["0000006.png", "0000012.png"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_ends_its_step_and_loses_nothing(tmp_path, uninterrupted, number):
    def tell(entry: dict) -> None:
        if entry.get("step") == 4:
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        fit(Adding(), network(), OPTIONS, tmp_path, tell, CPU)
    entries = []
    weights, average = run(tmp_path, entries=entries)
    assert entries[0] == {"resumed_at": 4}
    assert equal(weights, uninterrupted[0])
    assert equal(average, uninterrupted[1])


def test_signals_are_left_as_they_were(tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run(tmp_path)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_loss_that_is_no_number_ends_the_run_and_leaves_no_checkpoint(tmp_path):
    with pytest.raises(FloatingPointError, match="lower rate"):
        run(tmp_path, replace(OPTIONS, learning_rate=1e30, clip=1e30, warmup=0))
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_a_damaged_checkpoint_is_refused(tmp_path):
    run(tmp_path)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"half a file")
    with pytest.raises(InputError, match="cannot be read"):
        run(tmp_path)


def test_the_average_is_exponential():
    module, average = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    want = 1.0
    for step in range(5):
        with torch.no_grad():
            module.weight.fill_(step)
        module.num_batches_tracked.fill_(step)
        update_average(average, module, 0.9)
        want = 0.9 * want + 0.1 * step
    assert average.weight.item() == pytest.approx(want, rel=1e-6)
    assert int(average.num_batches_tracked) == 4


def test_the_average_warms_up_so_that_the_first_weights_are_soon_forgotten(tmp_path):
    """After one step it is 9 parts new weights to one part old, whatever the decay."""
    first = network().state_dict()
    weights, average = run(tmp_path, replace(OPTIONS, steps=1, average=0.9999, learning_rate=1.0))
    torch.testing.assert_close(average["0.weight"], 0.1 * first["0.weight"] + 0.9 * weights["0.weight"])
    assert not torch.equal(average["0.weight"], first["0.weight"])


def test_the_average_is_no_view_of_the_weights(uninterrupted):
    weights, average = uninterrupted
    assert not torch.equal(weights["0.weight"], average["0.weight"])


def test_the_learning_rate_rises_and_falls_to_its_end():
    options = TrainingOptions(steps=1000, batch=1, learning_rate=1, warmup=100, final_rate=0.02)
    rates = [rate(step, options) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[99] == pytest.approx(0.98, abs=0.01)
    assert rates[500] == pytest.approx(0.51, abs=1e-3)
    assert rates[-1] == pytest.approx(0.02, abs=1e-4)
    assert all(a <= b for a, b in pairwise(rates[:96]))
    assert all(a >= b for a, b in pairwise(rates[100:]))
    assert rate(0, replace(options, warmup=0)) == 1


class Steep(Adding):
    """A task whose gradient is a million."""

    def loss(self, module: nn.Module, count: int) -> torch.Tensor:
        return 1e6 * module.weight.sum()

    def scores(self, module: nn.Module) -> dict[str, float]:
        return {}

    def picture(self, module: nn.Module) -> np.ndarray:
        return np.zeros((1, 1, 3), np.uint8)


def test_a_huge_gradient_is_clipped(tmp_path):
    module = nn.Linear(1, 1, bias=False)
    norms = []
    module.weight.register_post_accumulate_grad_hook(lambda weight: norms.append(float(weight.grad.norm())))
    before = module.weight.detach().clone()
    options = replace(OPTIONS, steps=1, warmup=0, weight_decay=0.0, learning_rate=0.01, clip=1e-12)
    fit(Steep(), module, options, tmp_path, lambda entry: None, CPU)
    assert norms[-1] == 1e6
    # Adam divides by the gradient's own size, plus 1e-8 beside which the clipped one is nothing.
    assert (module.weight - before).abs().max() < 1e-5
