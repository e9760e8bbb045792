"""The training loop: its average, its learning rate, and that a stopped run loses nothing."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from dmcvr.errors import InputError
from dmcvr.training.trainer import TrainingOptions, fit, rate, update_average
from torch import nn

OPTIONS = TrainingOptions(
    steps=12, batch=4, learning_rate=0.05, warmup=3, average=0.9, checkpoint_every=5, log_every=4
)


def network() -> nn.Module:
    """Weights, dropout and a buffer that changes in training: everything a checkpoint must hold."""
    torch.manual_seed(7)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1))


def run(folder, options=OPTIONS, stop_after=None, entries=None, subject=None):
    """Train `network` to add numbers; raises RuntimeError in step ``stop_after`` + 1."""
    module = network()
    calls = 0

    def loss() -> torch.Tensor:
        nonlocal calls
        calls += 1
        if stop_after is not None and calls > stop_after:
            raise RuntimeError("power cut")
        x = torch.randn(16, 6)
        return (module(x)[:, 0] - x.sum(1)).square().mean()

    log = (lambda entry: None) if entries is None else entries.append
    average = fit(module, loss, options, folder, log, subject)
    return module.state_dict(), average


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
    run(tmp_path, stop_after=7, entries=entries)  # 5 of 12 steps are done, 7 are left
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
    run(tmp_path, replace(OPTIONS, steps=200, log_every=20), entries=entries)
    assert [entry["step"] for entry in entries] == list(range(20, 201, 20))
    assert entries[-1]["loss"] < 0.5 * entries[0]["loss"]
    lines = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == entries


def test_the_average_is_exponential():
    module = nn.BatchNorm1d(1)
    average = {name: value.clone() for name, value in module.state_dict().items()}
    want = 1.0
    for step in range(5):
        with torch.no_grad():
            module.weight.fill_(step)
        module.num_batches_tracked.fill_(step)
        update_average(average, module, 0.9)
        want = 0.9 * want + 0.1 * step
    assert float(average["weight"]) == pytest.approx(want, rel=1e-6)
    assert int(average["num_batches_tracked"]) == 4


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


def test_a_huge_gradient_is_clipped(tmp_path):
    module = nn.Linear(1, 1, bias=False)
    norms = []
    module.weight.register_post_accumulate_grad_hook(lambda weight: norms.append(float(weight.grad.norm())))
    before = module.weight.detach().clone()
    options = replace(OPTIONS, steps=1, warmup=0, weight_decay=0.0, learning_rate=0.01, clip=1e-12)
    fit(module, lambda: 1e6 * module.weight.sum(), options, tmp_path, lambda entry: None)
    assert norms == [1e6]
    # Adam divides by the gradient's own size, plus 1e-8 beside which the clipped one is nothing.
    assert (module.weight - before).abs().max() < 1e-5
