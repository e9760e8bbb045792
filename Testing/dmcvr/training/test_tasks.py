"""What the networks are trained on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from dmcvr.training.generator import WITHHELD_SHARE, Generator, GeneratorTask
from dmcvr.training.segmenter import ALONE_SHARE, FAR_SHARES, WIDE_SHARE, SegmenterTask


def test_generator_batches_are_what_the_denoiser_is_used_on(tiny, hearts):
    torch.manual_seed(0)
    images, labels = GeneratorTask(hearts, None, tiny).draw(8)
    assert images.shape == (8, 1, 32, 32)
    assert labels.shape == (8, 32, 32)
    assert labels.dtype == torch.uint8
    assert -1 <= images.min() < -0.2
    assert 0.5 < images.max() <= 1
    for index in range(8):
        assert images[index, 0][labels[index] == 1].mean() > images[index, 0][labels[index] == 2].mean() + 0.4


@pytest.mark.slow
def test_segmenter_batches_show_the_window_and_the_whole_field(tiny, hearts):
    torch.manual_seed(0)
    images, labels = SegmenterTask(hearts, None, tiny).draw(400)
    assert images.shape == (400, 3, 32, 32)
    assert labels.shape == (400, 32, 32)
    assert labels.dtype == torch.int64
    assert images.min() >= 0
    assert images.max() <= 1
    share = (labels > 0).float().mean((1, 2)).numpy()
    narrow = np.median(share)
    wide = share < narrow / 2.2
    assert wide.mean() == pytest.approx(WIDE_SHARE, abs=0.07)
    assert np.median(share[wide]) == pytest.approx(narrow / 4, rel=0.25)


def test_neighbours_come_near_and_far_in_both_orders_and_are_at_times_withheld(tiny, hearts):
    torch.manual_seed(0)
    index = torch.ones(2000, dtype=torch.int64)  # the middle one of a stack of three
    shown = SegmenterTask(hearts, None, tiny).draw_neighbours(index)
    assert (shown[:, 1] == 1).all()
    kinds, counts = shown.unique(dim=0, return_counts=True)
    share = {tuple(kind): count / 2000 for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True)}
    assert set(share) == {(0, 1, 2), (2, 1, 0), (-1, 1, -1)}
    # Two slices away from the middle one there is none.
    assert share[-1, 1, -1] == pytest.approx(1 - (1 - ALONE_SHARE) * (1 - FAR_SHARES[0]), abs=0.04)
    assert share[0, 1, 2] == pytest.approx(share[2, 1, 0], abs=0.05)


def test_windows_are_what_the_model_is_used_on(tiny, hearts):
    """Labels and images agree, neighbours lie about the slice, and nothing is turned or changed."""
    hearts = replace(hearts, centres=hearts.centres[:1].expand(6, 2))
    task = SegmenterTask(hearts, None, tiny)
    images, labels = task.windows(hearts, torch.arange(6))
    assert (images[0, 0] == 0).all()
    assert torch.equal(images[1, 0], images[0, 1])
    assert (images[2, 2] == 0).all()
    again, _ = task.windows(hearts, torch.arange(6))
    assert torch.equal(images, again)
    for index in range(6):
        inside = images[index, 1]
        assert inside[labels[index] == 1].mean() > inside[labels[index] == 2].mean() + 0.4


@pytest.mark.slow
def test_a_share_of_the_samples_is_denoised_without_its_code(tiny, hearts):
    module, seen = Generator(tiny), []
    module.denoiser.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[4]))
    torch.manual_seed(0)
    task = GeneratorTask(hearts, None, tiny)
    for _ in range(40):
        task.loss(module, 8)
    assert 1 - float(torch.cat(seen).float().mean()) == pytest.approx(WITHHELD_SHARE, abs=0.06)


def test_an_untrained_generator_that_answers_zero_costs_the_targets_own_size(tiny, hearts):
    """The last layer starts at zero. The target v = alpha noise - sigma x0 then is all there is: its mean
    square is alpha^2 + sigma^2 x0^2, half of 1 + mean x0^2 for levels spread evenly about alpha = sigma.
    """
    task = GeneratorTask(hearts, None, tiny)
    module = task.build().eval()
    torch.manual_seed(0)
    losses = [task.loss(module, 16).item() for _ in range(8)]
    torch.manual_seed(1)
    images, _ = task.draw(64)
    assert np.mean(losses) == pytest.approx((1 + float(images.square().mean())) / 2, rel=0.05)
