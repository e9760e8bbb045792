"""Training of the DeepRecon-style baseline."""

import json
from dataclasses import replace

import pytest
import torch
from dmcvr.core.errors import InputError
from dmcvr.model.deeprecon_model import DeepReconModel
from dmcvr.training.deeprecon_run import train_deeprecon
from dmcvr.training.deeprecon_task import DeepReconTask
from dmcvr.training.trainer import TrainingOptions
from tinydeeprecon import TINY_DEEPRECON

CPU = torch.device("cpu")
OPTIONS = TrainingOptions(
    steps=60, batch=6, learning_rate=4e-3, warmup=5, average=0.9, log_every=10, judge_every=60
)
ABOUT = {"name": "tiny", "licence": "CC0"}


def test_batches_are_windows_with_their_labels(hearts):
    torch.manual_seed(0)
    images, labels = DeepReconTask(hearts, None, TINY_DEEPRECON).draw(8)
    assert images.shape == (8, 1, 32, 32)
    assert labels.shape == (8, 32, 32)
    assert labels.dtype == torch.int64
    assert images.min() >= 0
    assert images.max() <= 1
    for image, drawn in zip(images[:, 0], labels, strict=True):
        assert image[drawn == 1].mean() > image[drawn == 2].mean() + 0.3


def test_without_cases_kept_apart_there_are_no_scores(hearts):
    task = DeepReconTask(hearts, None, TINY_DEEPRECON)
    module = task.build()
    assert task.scores(module) == {}
    assert task.picture(module).shape == (128, 384, 3)


@pytest.mark.slow
def test_training_lowers_the_loss_and_leaves_a_model_folder(hearts, tmp_path):
    lines = []
    folder = train_deeprecon(TINY_DEEPRECON, (hearts, hearts), OPTIONS, ABOUT, tmp_path, CPU, lines.append)
    assert folder == tmp_path / "model"
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[-1] < 0.4 * losses[0]
    scores = {name: value for line in lines for name, value in line.items() if name.startswith("held out")}
    assert scores["held out PSNR dB"] > 16
    assert scores["held out Dice LVC"] > 0.58
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert card["training"] == "60 steps of 6 views; 2 stacks; CPU, 1 thread."
    assert DeepReconModel.load(folder, "cpu", "float32").preset == TINY_DEEPRECON


@pytest.mark.slow
def test_a_run_goes_on_where_it_stopped_and_refuses_others(hearts, tmp_path):
    short = replace(OPTIONS, steps=2)
    lines = []
    train_deeprecon(TINY_DEEPRECON, (hearts, None), short, ABOUT, tmp_path, CPU, lines.append)
    train_deeprecon(TINY_DEEPRECON, (hearts, None), short, ABOUT, tmp_path, CPU, lines.append)
    assert {"resumed_at": 2} in lines
    with pytest.raises(InputError, match="other options"):
        train_deeprecon(
            TINY_DEEPRECON, (hearts, None), replace(short, seed=1), ABOUT, tmp_path, CPU, lines.append
        )
