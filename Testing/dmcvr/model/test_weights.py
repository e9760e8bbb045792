"""Weights in networks."""

import pytest
import torch
from dmcvr.model.networks.presets import PRESETS
from dmcvr.model.weights import build, part_of


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_every_preset_can_be_built(preset):
    with torch.device("meta"):
        segmenter, semantic, denoiser, interpolator = build(preset)
    assert segmenter.config == preset.segmenter
    assert semantic.config == preset.semantic
    assert denoiser.config == preset.denoiser
    assert (interpolator and interpolator.config) == preset.interpolator


def test_part_of_takes_the_prefix_away():
    tensors = {"a.x": torch.zeros(1), "ab.x": torch.ones(1), "a.y.z": torch.ones(2)}
    assert list(part_of(tensors, "a.")) == ["x", "y.z"]
