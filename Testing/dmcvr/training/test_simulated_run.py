import numpy as np
import pytest
import torch
from dmcvr.core.errors import InputError
from dmcvr.model.networks.presets import COMPACT, PAPER, ShapeCompleterConfig, ShiftEstimatorConfig
from dmcvr.training.heart_distances import HeartDistances, distances_of, phantom_labels
from dmcvr.training.shape_completer import (
    MULTIPLE,
    ShapeCompleterTask,
    completion_loss,
    sample_of,
    shape_scores,
)
from dmcvr.training.shift_estimator import ShiftEstimatorTask
from dmcvr.training.simulated_run import SimulatedHearts, train_on_hearts
from dmcvr.training.simulated_stacks import StackStyle
from dmcvr.training.trainer import TrainingOptions
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def phantoms():
    return HeartDistances(
        np.stack([distances_of(phantom_labels(seed)) for seed in (0, 3)]), ("phantom0000", "phantom0003")
    )


@pytest.mark.parametrize("part", ["shifts", "shape"])
def test_a_run_leaves_weights_that_are_no_longer_fresh(phantoms, tmp_path, part):
    lines = []
    options = TrainingOptions(steps=3, batch=1, learning_rate=2e-3, warmup=1, log_every=1, judge_every=3)
    hearts = SimulatedHearts(phantoms)
    path = train_on_hearts(part, COMPACT, hearts, options, tmp_path, CPU, lines.append)
    assert path == tmp_path / f"{part}.safetensors"
    assert load_file(path)["head.weight"].abs().max() > 0
    assert (tmp_path / "samples" / "0000003.png").is_file()
    scores = {name for line in lines for name in line}
    assert {"shifts": "held out shifts of 2 mm, left", "shape": "held out Dice LVM"}[part] in scores


def test_a_network_that_has_not_learned_leaves_shifts_as_they_are(phantoms):
    task = ShiftEstimatorTask(phantoms, None, ShiftEstimatorConfig(widths=(8, 8), code=8), CPU)
    torch.manual_seed(0)
    scores = task.scores(task.build())
    assert scores["shifts of 2 mm, left"] == pytest.approx(scores["shifts of 2 mm, given"], rel=1e-3)
    assert scores["shifts of 2 mm, given"] == pytest.approx(2, rel=0.12)
    assert scores["shifts of 0 mm, given"] == 0


def test_samples_hold_the_heart_on_the_lattice(phantoms):
    for seed in range(5):
        torch.manual_seed(seed)
        given, truth = sample_of(phantoms, 0, StackStyle(shift_sd_mm=0.5))
        assert given.shape[1:] == truth.shape[1:]
        assert truth.shape[1] % MULTIPLE[0] == 0
        assert truth.shape[2] % MULTIPLE[1] == truth.shape[3] % MULTIPLE[1] == 0
        inside = truth > 0
        assert not inside[:, :, [0, -1]].any()
        assert not inside[..., [0, -1]].any()


def test_the_loss_is_least_for_the_truth(phantoms):
    torch.manual_seed(0)
    given, truth = sample_of(phantoms, 1, StackStyle(shift_sd_mm=0.5))
    best = completion_loss(truth[None], truth[None])
    assert best < 0.25 * completion_loss(given[None, :3] * 12, truth[None])
    assert best < completion_loss(truth[None] + 0.5, truth[None])
    scores = shape_scores(truth, truth)
    assert scores["Dice LVM"] == 1
    assert scores["volume RVC"] == 1
    assert scores["hole mm2"] == 0


def test_the_straight_line_is_scored_beside_the_network(phantoms):
    task = ShapeCompleterTask(phantoms, None, ShapeCompleterConfig(widths=(8, 8)), CPU)
    scores = task.scores(task.build())
    assert scores["Dice LVM"] == pytest.approx(scores["straight line's Dice LVM"], abs=0.01)


def test_a_preset_without_the_network_has_no_task_for_it(phantoms):
    with pytest.raises(InputError, match="paper has no network for shape"):
        SimulatedHearts(phantoms).task("shape", PAPER, CPU)
