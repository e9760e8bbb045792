"""The segmenter's loss."""

import math

import pytest
import torch
from dmcvr.training.losses import dice_loss, focal_loss, segmentation_loss


def confident(labels: torch.Tensor, strength: float = 40.0) -> torch.Tensor:
    """Logits (B, 4, H, W) that give ``labels`` all probability."""
    return strength * torch.nn.functional.one_hot(labels, 4).movedim(-1, 1).float()


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.randint(4, (2, 16, 16), generator=torch.Generator().manual_seed(0))


def test_focal_loss_by_hand():
    """Two pixels with probabilities 1/2 and 1/4 of their true class: (1 - p)^2 (-log p)."""
    logits = torch.tensor([[math.log(2), 0.0, 0.0], [0.0, math.log(2), 0.0]]).T.reshape(1, 3, 1, 2)
    labels = torch.tensor([[[0, 0]]])
    want = (0.25 * math.log(2) + 0.5625 * math.log(4)) / 2
    assert float(focal_loss(logits, labels)) == pytest.approx(want, rel=1e-6)


def test_focal_loss_with_gamma_zero_is_cross_entropy(labels):
    logits = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    want = torch.nn.functional.cross_entropy(logits, labels)
    torch.testing.assert_close(focal_loss(logits, labels, gamma=0), want)


def test_dice_loss_by_hand():
    """Uniform probabilities 1/4 on four pixels, three of class 1 and one background: overlap 3/4, total 1 + 3
    for class 1; for the absent classes 2 and 3 the total is 1. One is added above and below.
    """
    labels = torch.tensor([[[1, 1], [1, 0]]])
    want = 1 - ((2 * 0.75 + 1) / 5 + 1 / 2 + 1 / 2) / 3
    assert float(dice_loss(torch.zeros(1, 4, 2, 2), labels)) == pytest.approx(want, rel=1e-6)


def test_dice_counts_over_the_batch():
    """A slice without a structure does not count as a miss of it."""
    labels = torch.zeros(2, 16, 16, dtype=torch.int64)
    labels[0, :8] = 1
    labels[0, 8:12], labels[0, 12:] = 2, 3
    assert float(dice_loss(confident(labels), labels)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("loss", [focal_loss, dice_loss, segmentation_loss])
def test_a_perfect_answer_costs_nothing(loss, labels):
    assert float(loss(confident(labels), labels)) == pytest.approx(0, abs=1e-4)


def test_the_worst_answer_costs_most(labels):
    wrong = confident((labels + 1) % 4)
    assert float(focal_loss(wrong, labels)) == pytest.approx(40, rel=1e-3)
    assert float(dice_loss(wrong, labels)) > 0.99


def test_an_absent_structure_that_is_not_claimed_costs_nothing():
    labels = torch.zeros(1, 8, 8, dtype=torch.int64)
    assert float(dice_loss(confident(labels), labels)) == pytest.approx(0, abs=1e-5)


def test_the_loss_is_the_sum_and_has_a_finite_gradient_for_sure_answers(labels):
    logits = confident((labels + 1) % 4, 200.0).requires_grad_()
    loss = segmentation_loss(logits, labels)
    torch.testing.assert_close(loss, focal_loss(logits, labels) + dice_loss(logits, labels))
    loss.backward()
    assert logits.grad.isfinite().all()
    assert logits.grad.any()
