"""As much myocardium as is drawn."""

import pytest
import torch
from dmcvr.core.labels import LVM
from dmcvr.model.networks.segmenters import build_segmenter
from dmcvr.training.calibration import LARGEST, balance, calibrate, lead
from dmcvr.training.segmenter import SegmenterTask


def size(logits: torch.Tensor) -> int:
    return int((logits.argmax(1) == LVM).sum())


def test_a_wall_that_is_drawn_too_thick_is_set_right():
    torch.manual_seed(0)
    true = 2 * torch.randn(4, 4, 64, 64)
    offset = torch.tensor([0.0, 0, 0.5, 0])[:, None, None]
    biased = true + offset
    assert size(biased) > 1.1 * size(true)
    shift = balance(lead(biased, LVM).flatten(), size(true))
    assert shift == pytest.approx(-0.5, abs=0.01)
    assert size(biased + 2 * shift * offset) == pytest.approx(size(true), abs=2)


@pytest.mark.parametrize(("count", "shift"), [(128, LARGEST), (0, -LARGEST)])
def test_a_network_that_has_learned_nothing_is_moved_no_further_than_the_limit(count, shift):
    leads = torch.linspace(-9, 9, 128)
    assert balance(leads, count) == shift


def test_the_shift_is_in_the_network_itself(tiny, hearts):
    torch.manual_seed(0)
    module = build_segmenter(tiny.segmenter).eval().requires_grad_(False)
    module.head.weight *= 20  # so that scores differ by more than the rounding of half precision
    task = SegmenterTask(hearts, None, tiny)
    images, labels = task.windows(hearts, torch.arange(6))
    before = module(images)
    shift = calibrate(module, task)
    assert shift != 0
    added = module(images) - before
    assert added.mean((0, 2, 3)).tolist() == pytest.approx([0, 0, shift, 0], abs=1e-3)
    assert added.std((0, 2, 3)).max() < 1e-4
    missing = [abs(size(logits) - int((labels == LVM).sum())) for logits in (before, module(images))]
    assert missing[1] < missing[0]
