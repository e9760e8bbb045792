"""As much myocardium and RV as is drawn."""

from dataclasses import replace

import pytest
import torch
from dmcvr.labels import LVM, RVC
from dmcvr.networks.medformer import MedFormer
from dmcvr.training.calibration import LARGEST, balance, calibrate, offsets
from dmcvr.training.segmenter import SegmenterTask


def size(logits: torch.Tensor, label: int) -> int:
    return int((logits.argmax(1) == label).sum())


def test_a_thick_wall_and_a_small_right_ventricle_are_set_right():
    torch.manual_seed(0)
    true = 2 * torch.randn(4, 4, 64, 64)
    offset = torch.tensor([0.0, 0, 0.5, -0.8])[:, None, None]
    biased = true + offset
    assert size(biased, LVM) > 1.1 * size(true, LVM)
    assert size(biased, RVC) < 0.8 * size(true, RVC)
    shift = offsets(biased, true.argmax(1))
    assert shift.tolist() == pytest.approx([0, 0, -0.5, 0.8], abs=0.02)
    for label in (LVM, RVC):
        assert size(biased + shift[:, None, None], label) == pytest.approx(size(true, label), rel=0.01)


@pytest.mark.parametrize(("count", "shift"), [(128, LARGEST), (0, -LARGEST)])
def test_a_network_that_has_learned_nothing_is_moved_no_further_than_the_limit(count, shift):
    leads = torch.linspace(-9, 9, 128)
    assert balance(leads, count) == shift


def test_the_shift_is_in_the_network_itself_and_by_the_training_data(tiny, hearts):
    torch.manual_seed(0)
    module = MedFormer(tiny.segmenter).eval().requires_grad_(False)
    apart = replace(hearts, labels=torch.full_like(hearts.labels, RVC))
    images, labels = (task := SegmenterTask(hearts, apart, tiny)).windows(hearts, torch.arange(6))
    before = module(images)
    shift = calibrate(module, task)
    assert (shift.keys(), 0 in shift.values()) == ({LVM, RVC}, False)
    added = module(images) - before
    assert added.mean((0, 2, 3)).tolist() == pytest.approx([0, 0, shift[LVM], shift[RVC]], abs=1e-3)
    assert added.std((0, 2, 3)).max() < 1e-4
    for label in (LVM, RVC):
        missing = [
            abs(size(logits, label) - int((labels == label).sum())) for logits in (before, module(images))
        ]
        assert missing[1] < missing[0]
