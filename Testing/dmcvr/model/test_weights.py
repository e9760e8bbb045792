"""Weights in networks."""

import pytest
import torch
from dmcvr.model.networks.presets import COMPACT, OPTIONAL_PARTS, PRESETS
from dmcvr.model.weights import build


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_every_preset_can_be_built(preset):
    with torch.device("meta"):
        networks = build(preset)
    assert tuple(networks.parts) == preset.parts
    for name in ("segmenter", "semantic", "denoiser", *OPTIONAL_PARTS):
        network = getattr(networks, name)
        assert (network and network.config) == getattr(preset, name)


def test_the_generators_file_holds_encoder_and_denoiser():
    with torch.device("meta"):
        networks = build(COMPACT)
    names = set(networks.parts["generator"].state_dict())
    own = {"semantic": networks.semantic, "denoiser": networks.denoiser}
    assert names == {f"{prefix}.{name}" for prefix, network in own.items() for name in network.state_dict()}
