"""Whole training runs of a tiny preset."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from dmcvr.errors import InputError
from dmcvr.training import generator, segmenter
from dmcvr.training.generator import Generator, generator_loss
from dmcvr.training.run import PARTS, resized, train
from dmcvr.training.trainer import TrainingOptions
from safetensors.torch import load_file

CPU = torch.device("cpu")
OPTIONS = TrainingOptions(
    steps=6, batch=4, learning_rate=2e-3, warmup=2, average=0.9, checkpoint_every=2, log_every=2
)
EACH = pytest.mark.parametrize("part", PARTS)


def nothing(entry: dict) -> None:
    """For runs whose log is of no interest."""


@EACH
def test_a_run_killed_half_way_and_resumed_ends_bit_for_bit_the_same(part, tiny, hearts, tmp_path):
    def stop(entry: dict) -> None:
        # The log comes before the checkpoint of its step, so this falls between checkpoints.
        if entry.get("step") == 4:
            raise KeyboardInterrupt

    whole = train(part, hearts, tiny, OPTIONS, tmp_path / "whole", CPU, nothing)
    with pytest.raises(KeyboardInterrupt):
        train(part, hearts, tiny, OPTIONS, tmp_path / "killed", CPU, stop)
    assert not (tmp_path / "killed" / f"{part}.safetensors").exists()
    entries = []
    resumed = train(part, hearts, tiny, OPTIONS, tmp_path / "killed", CPU, entries.append)
    assert entries[0] == {"resumed_at": 2}
    assert resumed.read_bytes() == whole.read_bytes()


@EACH
def test_a_short_run_lowers_the_loss(part, tiny, hearts, tmp_path):
    entries = []
    options = replace(OPTIONS, steps=30, log_every=10, learning_rate=8e-3, checkpoint_every=30)
    path = train(part, hearts, tiny, options, tmp_path, CPU, entries.append)
    assert entries[-1]["loss"] < 0.85 * entries[0]["loss"]
    assert path == tmp_path / f"{part}.safetensors"
    weights = load_file(path)
    module = PARTS[part][0](tiny)
    module.load_state_dict(weights)
    assert all(value.isfinite().all() for value in weights.values())


def test_a_folder_with_another_parts_checkpoint_is_refused(tiny, hearts, tmp_path):
    options = replace(OPTIONS, steps=1)
    train("segmenter", hearts, tiny, options, tmp_path, CPU, nothing)
    with pytest.raises(InputError, match="choose another folder"):
        train("generator", hearts, tiny, options, tmp_path, CPU, nothing)
    with pytest.raises(InputError, match="choose another folder"):
        train("segmenter", hearts, tiny, options, tmp_path, CPU, nothing, size=16)


def test_training_starts_from_given_weights(tiny, hearts, tmp_path):
    first = train("generator", hearts, tiny, replace(OPTIONS, steps=1), tmp_path / "a", CPU, nothing, size=16)
    still = replace(OPTIONS, steps=1, learning_rate=0.0)
    second = train("generator", hearts, tiny, still, tmp_path / "b", CPU, nothing, init=first)
    for name, value in load_file(second).items():
        torch.testing.assert_close(value, load_file(first)[name])


def test_weights_of_another_part_or_no_weights_are_no_start(tiny, hearts, tmp_path):
    options = replace(OPTIONS, steps=1)
    other = train("segmenter", hearts, tiny, options, tmp_path / "a", CPU, nothing)
    garbled = tmp_path / "garbled"
    garbled.write_bytes(b"no weights")
    for init in (other, garbled, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="start from"):
            train("generator", hearts, tiny, options, tmp_path / "b", CPU, nothing, init=init)


@pytest.mark.parametrize("size", [16, 32])
def test_smaller_views_show_the_same_window(tiny, hearts, size):
    """The part of a view that is heart does not depend on its size."""
    torch.manual_seed(0)
    images, labels = generator.draw_batch(hearts, resized(tiny, size), 64)
    assert images.shape == (64, 1, size, size)
    window = (tiny.image_size * tiny.spacing_mm / hearts.spacing) ** 2
    want = (hearts.labels > 0).sum() / len(hearts.labels) / window
    assert float((labels > 0).float().mean()) == pytest.approx(want, rel=0.1)


def test_generator_batches_are_what_the_denoiser_is_used_on(tiny, hearts):
    torch.manual_seed(0)
    images, labels = generator.draw_batch(hearts, tiny, 8)
    assert images.shape == (8, 1, 32, 32)
    assert labels.shape == (8, 32, 32)
    assert labels.dtype == torch.uint8
    assert -1 <= images.min() < -0.2
    assert 0.5 < images.max() <= 1
    for index in range(8):
        assert images[index, 0][labels[index] == 1].mean() > images[index, 0][labels[index] == 2].mean() + 0.4


def test_segmenter_batches_show_the_window_and_the_whole_field(tiny, hearts):
    torch.manual_seed(0)
    images, labels = segmenter.draw_batch(hearts, tiny, 200)
    assert images.shape == (200, 1, 32, 32)
    assert labels.dtype == torch.int64
    assert images.min() >= 0
    assert images.max() <= 1
    share = (labels > 0).float().mean((1, 2)).numpy()
    narrow = np.median(share)
    wide = share < narrow / 2.2
    assert 0.15 < wide.mean() < 0.45  # WIDE_SHARE is 0.3
    assert np.median(share[wide]) == pytest.approx(narrow / 4, rel=0.25)


def test_some_samples_are_denoised_without_their_code(tiny, hearts):
    module = Generator(tiny)
    seen = []
    module.denoiser.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[4]))
    torch.manual_seed(0)
    for _ in range(20):
        generator_loss(module, hearts, tiny, 8, CPU)
    withheld = 1 - torch.cat(seen).float().mean()
    assert 0.05 < float(withheld) < 0.3


def test_an_untrained_generator_that_answers_zero_costs_the_targets_own_size(tiny, hearts):
    """The last layer starts at zero. The target v = alpha noise - sigma x0 then is all there is: its mean
    square is alpha^2 + sigma^2 x0^2, half of 1 + mean x0^2 for levels spread evenly about alpha = sigma.
    """
    module = Generator(tiny).eval()
    torch.manual_seed(0)
    losses = [generator_loss(module, hearts, tiny, 16, CPU).item() for _ in range(8)]
    torch.manual_seed(1)
    images, _ = generator.draw_batch(hearts, tiny, 64)
    assert np.mean(losses) == pytest.approx((1 + float(images.square().mean())) / 2, rel=0.05)
