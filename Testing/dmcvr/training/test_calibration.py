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


@pytest.mark.parametrize("apart", [False, True])
def test_the_shift_is_in_the_network_itself_and_counts_what_is_kept_apart(tiny, hearts, apart):
    torch.manual_seed(0)
    module = MedFormer(tiny.segmenter).eval().requires_grad_(False)
    task = SegmenterTask(hearts, hearts if apart else None, tiny)
    images, labels = task.windows(hearts, torch.arange(6))
    before = module(images)
    shift = calibrate(module, task)
    assert (shift[[LVM, RVC]] != 0).all()
    assert (shift[:2] == 0).all()
    added = module(images) - before
    assert added.mean((0, 2, 3)).tolist() == pytest.approx(shift.tolist(), abs=1e-3)
    assert added.std((0, 2, 3)).max() < 1e-4
    for label in (LVM, RVC):
        missing = [
            abs(size(logits, label) - int((labels == label).sum())) for logits in (before, module(images))
        ]
        assert missing[1] < missing[0]


def test_cases_kept_apart_pull_the_shift_their_way(tiny, hearts):
    torch.manual_seed(0)
    module = MedFormer(tiny.segmenter).eval().requires_grad_(False)
    full = replace(hearts, labels=torch.full_like(hearts.labels, RVC))
    alone = calibrate(module, SegmenterTask(hearts, None, tiny))[RVC]
    module.shift_scores(torch.tensor([0.0, 0, 0, -float(alone)]))
    assert calibrate(module, SegmenterTask(hearts, full, tiny))[RVC] > alone
