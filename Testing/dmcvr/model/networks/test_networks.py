"""Shapes, sizes, conditioning and serialisation of the networks."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from dmcvr.model.networks.denoiser import Denoiser
from dmcvr.model.networks.medformer import MedFormer
from dmcvr.model.networks.presets import (
    COMPACT,
    PAPER,
    PRESETS,
    DenoiserConfig,
    MedFormerConfig,
    ResidualUNetConfig,
    SemanticConfig,
    from_dict,
    to_dict,
)
from dmcvr.model.networks.segmenters import build_segmenter
from dmcvr.model.networks.semantic import SemanticEncoder
from torch import nn

UNET = ResidualUNetConfig(widths=(4, 6, 8), blocks=(1, 2, 1), context=0)
MEDFORMER = MedFormerConfig(base=8, heads=(2, 4, 8), fusion_size=16, fusion_heads=2, norm="group", groups=4)
SEMANTIC = SemanticConfig(base=8, multipliers=(1, 2), size=12, blocks=1, attention_levels=(1,), groups=4)
MAPS = DenoiserConfig(
    base=8,
    multipliers=(1, 2, 3),
    encoder_blocks=(1, 2, 1),
    decoder_blocks=(1, 2, 2),
    attention_levels=(1,),
    semantic_size=12,
    embedding_size=16,
    time_scale=5.0,
    time_period=1000.0,
    morphology="maps",
    morphology_channels=3,
    heads=2,
    groups=4,
    residual_resample=False,
)
BOTTLENECK = replace(
    MAPS,
    multipliers=(1, 1, 1, 1, 2, 2),
    encoder_blocks=(1,) * 6,
    decoder_blocks=(2,) * 6,
    attention_levels=(4,),
    morphology="bottleneck",
    morphology_channels=8,
    residual_resample=True,
)


def randomise(network: torch.nn.Module) -> torch.nn.Module:
    """Small random values where the parameters are zero, as after some training."""
    torch.manual_seed(1)
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    return network


def inputs(config: DenoiserConfig, batch: int = 2, height: int = 32, width: int = 64) -> list[torch.Tensor]:
    torch.manual_seed(0)
    code_shape = (height, width) if config.morphology == "maps" else (height // 16, width // 16)
    return [
        torch.randn(batch, 1, height, width),
        torch.linspace(-9, 9, batch),
        torch.randn(batch, config.semantic_size),
        torch.randn(batch, config.morphology_channels, *code_shape),
    ]


def parameters(network_class: Callable[[Any], nn.Module], config) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in network_class(config).parameters())


@pytest.mark.parametrize(
    ("network_class", "config", "millions"),
    [
        (Denoiser, PAPER.denoiser, 143.6),
        (SemanticEncoder, PAPER.semantic, 30.1),
        (MedFormer, PAPER.segmenter, 19.2),
    ],
)
def test_paper_preset_has_the_published_sizes(network_class, config, millions):
    assert parameters(network_class, config) == pytest.approx(millions * 1e6, rel=0.02)


def test_compact_preset_is_small():
    assert 10e6 < parameters(Denoiser, COMPACT.denoiser) < 15e6
    assert parameters(SemanticEncoder, COMPACT.semantic) < 2e6
    assert parameters(build_segmenter, COMPACT.segmenter) < 4e6


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_presets_fit_together(preset):
    with torch.device("meta"):
        segmenter, semantic = build_segmenter(preset.segmenter).eval(), SemanticEncoder(preset.semantic)
        denoiser = Denoiser(preset.denoiser)
        x = torch.zeros(2, 1, preset.image_size, preset.image_size)
        logits, code = segmenter.segment_and_encode(x.expand(-1, preset.segmenter.slices, -1, -1))
        if preset.morphology == "maps":
            code = logits[:, 1:]
        if preset.morphology is None:
            code = None
        assert logits.shape == (2, 4, *x.shape[2:])
        assert denoiser(x, torch.zeros(2), semantic(x), code).shape == x.shape


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("shape", [(32, 64), (48, 16), (112, 80)])
def test_medformer_shapes(norm, shape):
    network = MedFormer(replace(MEDFORMER, norm=norm)).eval()
    x = torch.rand(2, 1, *shape)
    logits, second = network(x, auxiliary=True)
    assert logits.shape == second.shape == (2, 4, *shape)
    assert network.encode(x).shape == (2, network.config.features, shape[0] // 16, shape[1] // 16)


@pytest.mark.parametrize("patch", [2, 4])
def test_a_segmenter_of_folded_pixels_answers_in_single_ones(patch):
    config = replace(MEDFORMER, patch=patch, context=1)
    network = MedFormer(config).eval()
    assert config.stride == 16 * patch
    x = torch.rand(2, 3, 2 * config.stride, config.stride)
    logits, second = network(x, auxiliary=True)
    assert logits.shape == second.shape == (2, 4, *x.shape[2:])
    assert network.encode(x).shape == (2, config.features, 2, 1)
    # Single pixels of one fold differ, so the answer is no enlarged coarse one.
    fold = logits.unfold(2, patch, patch).unfold(3, patch, patch)
    assert (fold.flatten(4).std(-1) > 0).all()
    with pytest.raises(ValueError, match=f"divisible by {config.stride}"):
        network(torch.rand(1, 3, config.stride, config.stride + 16))


@pytest.mark.parametrize("shape", [(32, 64), (48, 16)])
@pytest.mark.parametrize("patch", [1, 2])
def test_residual_unet_shapes(patch, shape):
    config = replace(UNET, patch=patch, context=1)
    network = build_segmenter(config).eval()
    x = torch.rand(2, 3, *shape)
    logits, second = network(x, auxiliary=True)
    assert logits.shape == second.shape == (2, 4, *shape)
    assert network.encode(x).shape == (2, config.features, *(side // config.stride for side in shape))
    with pytest.raises(ValueError, match=f"divisible by {config.stride}"):
        network(torch.rand(1, 3, config.stride, config.stride + patch))


def test_a_single_view_of_one_deep_pixel_can_be_trained_on():
    network = build_segmenter(UNET).train()
    network(torch.rand(1, 1, UNET.stride, UNET.stride)).mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.up.parameters())


def test_scores_are_shifted_for_good():
    network, x = build_segmenter(UNET).eval(), torch.rand(1, 1, 32, 32)
    before, offsets = network(x), torch.tensor([0.0, 1.0, -2.0, 0.5])
    network.shift_scores(offsets)
    torch.testing.assert_close(network(x) - before, offsets[:, None, None].expand(1, 4, 32, 32))


def test_medformer_rejects_other_sides():
    with pytest.raises(ValueError, match="divisible by 16"):
        MedFormer(MEDFORMER)(torch.rand(1, 1, 40, 32))


@pytest.mark.parametrize("config", [MEDFORMER, UNET], ids=["medformer", "unet"])
def test_one_pass_of_a_segmenter_agrees_with_two(config):
    network, x = build_segmenter(config).eval(), torch.rand(2, 1, 32, 48)
    logits, bottleneck = network.segment_and_encode(x)
    torch.testing.assert_close(logits, network(x))
    torch.testing.assert_close(bottleneck, network.encode(x))


def test_logits_are_decoded_from_the_bottleneck_that_encode_returns():
    network, x = MedFormer(MEDFORMER).eval(), torch.rand(1, 1, 32, 32)
    seen = []
    network.up1.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    network(x)
    assert len(seen) == 1
    torch.testing.assert_close(seen[0], network.encode(x))


def test_group_norm_medformer_treats_samples_alone():
    network, x = MedFormer(MEDFORMER), torch.rand(3, 1, 32, 32)
    torch.testing.assert_close(network.train()(x)[:1], network.eval()(x[:1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("config", [MEDFORMER, UNET], ids=["medformer", "unet"])
def test_auxiliary_head_must_exist_to_be_asked(config):
    network = build_segmenter(replace(config, auxiliary=False))
    with pytest.raises(ValueError, match="auxiliary"):
        network(torch.rand(1, 1, 16, 16), auxiliary=True)


@pytest.mark.parametrize("shape", [(32, 32), (12, 20)])
def test_semantic_encoder_shape(shape):
    assert SemanticEncoder(SEMANTIC)(torch.randn(3, 1, *shape)).shape == (3, 12)


@pytest.mark.parametrize("config", [MAPS, BOTTLENECK, replace(MAPS, residual_resample=True)])
@pytest.mark.parametrize("shape", [(32, 64), (96, 32)])
def test_denoiser_keeps_the_shape(config, shape):
    arguments = inputs(config, 2, *shape)
    assert Denoiser(config)(*arguments).shape == arguments[0].shape


def test_denoiser_starts_at_zero():
    assert not Denoiser(MAPS)(*inputs(MAPS)).any()


def test_denoiser_rejects_other_sides_and_unexpected_codes():
    with pytest.raises(ValueError, match="divisible by 4"):
        Denoiser(MAPS)(*inputs(MAPS, 1, 34, 32))
    with pytest.raises(ValueError, match="without a morphology code"):
        Denoiser(replace(MAPS, morphology=None))(*inputs(MAPS))


@pytest.mark.parametrize("config", [MAPS, BOTTLENECK])
@pytest.mark.parametrize("position", range(4), ids=["x", "time", "semantic", "morphology"])
def test_every_input_changes_the_output(config, position):
    network, arguments = randomise(Denoiser(config)).eval(), inputs(config)
    changed = list(arguments)
    changed[position] = changed[position] + 0.5
    assert (network(*arguments) - network(*changed)).abs().max() > 1e-4


@pytest.mark.parametrize("config", [MAPS, BOTTLENECK])
def test_withheld_code(config):
    """A masked sample equals one without a code, and its neighbour keeps its own."""
    network, arguments = randomise(Denoiser(config)).eval(), inputs(config)
    given, withheld = network(*arguments), network(*arguments[:3])
    mixed = network(*arguments, present=torch.tensor([True, False]))
    torch.testing.assert_close(mixed, torch.stack([given[0], withheld[1]]), rtol=1e-4, atol=1e-5)
    assert (given[1] - withheld[1]).abs().max() > 1e-4


@pytest.mark.parametrize("config", [MAPS, BOTTLENECK])
@pytest.mark.parametrize("present", [None, torch.tensor([True, False])])
def test_codes_bound_once_serve_every_noise_level(config, present):
    network = randomise(Denoiser(config)).eval()
    x, time, *codes = inputs(config)
    bound = network.bind(*codes, present)
    for level in (time, time + 3):
        assert torch.equal(network.predict(x, level, bound), network(x, level, *codes, present))


def test_a_present_code_of_zeros_is_not_a_withheld_code():
    network, arguments = randomise(Denoiser(MAPS)).eval(), inputs(MAPS)
    zeros = network(*arguments[:3], torch.zeros_like(arguments[3]))
    assert (zeros - network(*arguments[:3])).abs().max() > 1e-4


@pytest.mark.parametrize("config", [MAPS, BOTTLENECK])
def test_gradient_reaches_every_parameter_of_encoder_and_denoiser(config):
    denoiser, encoder = randomise(Denoiser(config)), randomise(SemanticEncoder(SEMANTIC))
    x, time, _, code = inputs(config)
    denoiser(x, time, encoder(x), code, present=torch.tensor([True, False])).square().sum().backward()
    for network in (denoiser, encoder):
        idle = [
            name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0
        ]
        assert idle == []


SEGMENTERS = {"batch": replace(MEDFORMER, norm="batch"), "group": MEDFORMER, "unet": UNET}


@pytest.mark.parametrize("config", SEGMENTERS.values(), ids=SEGMENTERS)
def test_gradient_reaches_every_parameter_of_the_segmenter(config):
    torch.manual_seed(0)
    network = build_segmenter(config)
    logits, second = network(torch.rand(2, 1, 48, 48), auxiliary=True)
    (logits.square().sum() + second.square().sum()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_same_seed_same_network_and_output():
    outputs = []
    for _ in range(2):
        torch.manual_seed(7)
        outputs.append(randomise(Denoiser(MAPS)).eval()(*inputs(MAPS)))
    assert torch.equal(*outputs)


def test_time_embedding_tells_close_log_snr_apart():
    network, (x, _, semantic, code) = randomise(Denoiser(MAPS)).eval(), inputs(MAPS, 1)
    outputs = [network(x, torch.tensor([time]), semantic, code) for time in (-9.0, -8.8, 8.8, 9.0)]
    assert all((a - b).abs().max() > 1e-5 for a, b in pairwise(outputs))


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_preset_round_trip_through_json(preset):
    assert from_dict(json.loads(json.dumps(to_dict(preset)))) == preset


@pytest.mark.parametrize("part", [None, "segmenter", "semantic", "denoiser"])
def test_preset_with_unknown_or_missing_key(part):
    values = to_dict(COMPACT)
    section = values[part] if part else values
    section["colour"] = 1
    with pytest.raises(ValueError, match="colour"):
        from_dict(values)
    del section["colour"]
    missing = {None: "name", "segmenter": "blocks"}.get(part, "base")
    section.pop(missing)
    with pytest.raises(ValueError, match=missing):
        from_dict(values)


@pytest.mark.parametrize(
    ("config", "change"),
    [
        (MEDFORMER, {"norm": "layer"}),
        (MAPS, {"morphology": "bottleneck"}),
        (MAPS, {"morphology": "vector"}),
        (MAPS, {"encoder_blocks": (1, 1)}),
        (COMPACT, {"schedule": "cosine"}),
        (COMPACT, {"prediction": "x0"}),
    ],
)
def test_impossible_configurations_are_refused(config, change):
    with pytest.raises(ValueError, match=r"must|needs"):
        replace(config, **change)


def test_presets_do_not_import_torch():
    code = "import sys, dmcvr.model.networks.presets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
