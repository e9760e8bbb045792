"""Which device to compute on."""

import pytest
import torch
from dmcvr.core.errors import InputError
from dmcvr.model.device import autocast, choose_device, choose_precision, convert_weights, describe
from torch import nn


def test_devices():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert "CPU, " in describe(torch.device("cpu"))
    assert choose_precision("auto", torch.device("cpu")) in ("float32", "bfloat16")
    for name in ("float32", "bfloat16"):
        assert choose_precision(name, torch.device("cpu")) == name


def test_converted_weights_give_the_same_bits():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 8, 3), nn.GroupNorm(2, 8), nn.SiLU(), nn.Flatten(), nn.Linear(32, 3))
    network.requires_grad_(False)
    x = torch.randn(4, 2, 4, 4)
    with autocast(torch.device("cpu"), "bfloat16"):
        want = network(x)
        convert_weights(network, "bfloat16")
        assert torch.equal(network(x), want)
    types = [parameter.dtype for parameter in network.parameters()]
    assert types == [torch.bfloat16] * 2 + [torch.float32] * 2 + [torch.bfloat16] * 2


def test_in_float32_weights_stay_as_they_are():
    network = nn.Linear(2, 3)
    weight = network.weight.clone()
    convert_weights(network, "float32")
    assert torch.equal(network.weight, weight)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_where_there_is_none_is_refused():
    with pytest.raises(InputError, match="CUDA"):
        choose_device("cuda")
