"""What the networks are trained on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from dmcvr.training.generator import WITHHELD_SHARE, Generator, GeneratorTask
from dmcvr.training.interpolator import (
    InterpolatorTask,
    distance_maps,
    inner_samples,
    moved,
    sample_of,
    straight,
)
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


def fine(tiny):
    """The tiny preset with an interpolator on pixels of 3 mm."""
    return replace(tiny, image_size=128, spacing_mm=1.5, interpolator=replace(tiny.interpolator, size=64))


def test_every_slice_between_two_others_is_a_sample(hearts):
    assert inner_samples(hearts, (1,), (0, 100)).tolist() == [[1, 1, 1], [4, 1, 1]]
    assert inner_samples(hearts, (1, 2), (0, 100)).tolist() == [[1, 1, 1], [4, 1, 1]]
    assert inner_samples(hearts, (1,), (0, 19)).tolist() == []
    apart = replace(hearts, positions=torch.tensor([0.0, 6, 30, 0, 10, 20]))
    assert inner_samples(apart, (1,), (0, 25)).tolist() == [[4, 1, 1]]


def test_a_sample_tells_where_its_slices_lie(tiny, hearts):
    uneven = replace(hearts, positions=torch.tensor([0.0, 6, 30, 0, 10, 20]))
    maps = distance_maps(uneven, tiny)
    sample = sample_of(uneven, maps, inner_samples(uneven, (1,), (0, 100)))
    assert sample.fraction.tolist() == pytest.approx([0.2, 0.5])
    assert sample.gap.tolist() == [30, 20]
    assert sample.beyond.tolist() == [[0, 0], [0, 0]]
    assert torch.equal(sample.truth, maps[[1, 4]].float())
    assert torch.equal(sample.maps[:, 0], maps[[0, 3]].float())
    assert torch.equal(sample.maps[:, 1], maps[[2, 5]].float())
    assert (sample.shown == 1).all()


def test_distance_maps_are_those_of_the_window(tiny, hearts):
    """Cavity and whole ventricle are as large as in the labels, and as deep as discs of that size."""
    maps = distance_maps(hearts, fine(tiny)).float()
    # Between coarse pixels a boundary lies where it did between fine ones.
    finer = torch.nn.functional.interpolate(maps, scale_factor=2, mode="bilinear")
    labels = hearts.labels
    for channel, members in enumerate(((1,), (1, 2))):
        area = torch.isin(labels, torch.tensor(members)).sum((1, 2)) * 1.5**2
        inside = (finer[:, channel] > 0).sum((1, 2)) * 1.5**2
        assert (inside / area).numpy() == pytest.approx(1, abs=0.08)
        radius = (area / torch.pi).sqrt().clamp_max(tiny.interpolator.reach_mm)
        assert (maps[:, channel].amax((1, 2)) - radius).abs().max() < 4


def test_moved_distances_are_distances_and_a_samples_slices_keep_their_places(tiny, hearts):
    maps = distance_maps(hearts, fine(tiny))
    still = sample_of(hearts, maps, inner_samples(hearts, (1,), (0, 100))[[0] * 40])
    same = replace(still, maps=still.truth[:, None].expand_as(still.maps))
    torch.manual_seed(0)
    views = moved(same, 3.0)
    cavity = views.truth[:, 0]
    area = (cavity > 0).sum((1, 2)).float()
    assert area.max() > 1.5 * area.min()
    # A disc is as deep as its area says, but for the pixels: distances shrink as it does.
    depth = cavity.amax((1, 2)) / ((area / torch.pi).sqrt() * 3)
    assert depth.min() > 0.8
    assert depth.max() < min(1, 1.1 * depth.min())
    # Each slice is displaced by itself, by little.
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")

    def middle(image):
        inside = (image > 0).float()
        return torch.stack([(inside * axis).sum((1, 2)) / inside.sum((1, 2)) for axis in (rows, columns)])

    away = 3 * (middle(views.maps[:, 0, 0]) - middle(cavity)).norm(dim=0)
    assert 0.3 < away.median() < 2.5


def test_the_scores_compare_with_the_straight_line(tiny, hearts):
    """A network that knows the truth finds all; the bulge of the middle slices is not on the line."""
    task = InterpolatorTask(hearts, hearts, tiny)
    truth = distance_maps(hearts, tiny)[[1, 4]].float()

    def oracle(maps, beyond, fraction, gap):
        line = (1 - fraction.view(-1, 1, 1, 1)) * maps[:, 0] + fraction.view(-1, 1, 1, 1) * maps[:, 1]
        return truth - line

    scores = task.scores(oracle)
    assert task.picture(oracle).shape[2] == 3
    assert scores["Dice LVC"] == scores["Dice LVM"] == scores["Dice RVC"] == 1
    assert scores["straight line's Dice LVC"] < 1
    sample = sample_of(hearts, task.maps, task.samples)
    assert torch.equal(straight(sample), (sample.maps[:, 0] + sample.maps[:, 1]) / 2)
