import dataclasses
import json

import pytest
import torch
import torch.nn.functional as F
from dmcvr.model.networks.deeprecon import StyleAutoencoder, StyleGenerator
from dmcvr.model.networks.deeprecon_preset import DEEPRECON, DeepReconPreset, deeprecon_preset
from dmcvr.model.networks.modulated import EPSILON, ModulatedConv
from tinydeeprecon import TINY_DEEPRECON


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("demodulate", [True, False])
def test_a_modulated_convolution_is_each_samples_own(kernel, demodulate):
    """Against eq. 1 and 3 of Karras et al. (2020), written out for one sample after the other."""
    torch.manual_seed(0)
    layer = ModulatedConv(5, 7, code=4, kernel=kernel, demodulate=demodulate)
    torch.nn.init.normal_(layer.bias)
    x, codes = torch.randn(3, 5, 6, 6), torch.randn(3, 4)
    expected = []
    for sample, style in zip(x, layer.style(codes), strict=True):
        weight = layer.weight * style[None, :, None, None]
        if demodulate:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + EPSILON).sqrt()
        expected.append(F.conv2d(sample[None], weight, layer.bias, padding=kernel // 2)[0])
    torch.testing.assert_close(layer(x, codes), torch.stack(expected), atol=1e-5, rtol=1e-4)


def test_demodulation_keeps_the_standard_deviation_whatever_the_style():
    torch.manual_seed(0)
    layer = ModulatedConv(32, 32, code=4)
    out = layer(torch.randn(4, 32, 24, 24), 20 * torch.randn(4, 4))
    assert out.std((1, 2, 3)).sub(1).abs().max() < 0.15


def test_every_layers_code_matters_and_each_slices_alone():
    torch.manual_seed(0)
    generator = StyleGenerator(TINY_DEEPRECON)
    codes = torch.randn(2, TINY_DEEPRECON.layers, TINY_DEEPRECON.code)
    image, logits = generator(codes)
    assert image.shape == (2, 1, 32, 32)
    assert logits.shape == (2, 4, 32, 32)
    for layer in range(TINY_DEEPRECON.layers):
        other = codes.clone()
        other[0, layer] += 1
        changed, changed_logits = generator(other)
        assert (changed[0] - image[0]).abs().max() > 1e-3
        assert (changed_logits[0] - logits[0]).abs().max() > 1e-3
        torch.testing.assert_close(changed[1], image[1])


def test_a_slice_is_encoded_by_itself():
    torch.manual_seed(0)
    networks = StyleAutoencoder(TINY_DEEPRECON).eval()
    images = torch.rand(3, 1, 32, 32)
    codes = networks.encoder(images)
    assert codes.shape == (3, 5, 16)
    torch.testing.assert_close(networks.encoder(images[1:2]), codes[1:2], atol=1e-5, rtol=1e-4)


def test_the_default_preset_sees_the_window_and_fits_a_processor():
    assert DEEPRECON.image_size * DEEPRECON.spacing_mm == 192
    assert DEEPRECON.layers == 9
    assert DEEPRECON.coarsest == 6
    networks = StyleAutoencoder(DEEPRECON)
    assert sum(parameter.numel() for parameter in networks.parameters()) == 2_998_697


def test_a_preset_survives_json():
    values = json.loads(json.dumps(dataclasses.asdict(TINY_DEEPRECON)))
    assert deeprecon_preset(values) == TINY_DEEPRECON
    for change in ({"widths": [4, 8, 16, 16, 16, 16, 16]}, {"code": 10**6}, {"noise": 1}):
        with pytest.raises(ValueError, match=r"\w"):
            deeprecon_preset({**values, **change})


def test_sizes_that_do_not_double_are_refused():
    with pytest.raises(ValueError, match="doubled"):
        DeepReconPreset(image_size=30)
