"""Which device to compute on."""

import pytest
import torch
from dmcvr.core.errors import InputError
from dmcvr.model.device import choose_device, choose_precision, describe


def test_devices():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert "CPU, " in describe(torch.device("cpu"))
    assert choose_precision("auto", torch.device("cpu")) in ("float32", "bfloat16")
    for name in ("float32", "bfloat16"):
        assert choose_precision(name, torch.device("cpu")) == name


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_where_there_is_none_is_refused():
    with pytest.raises(InputError, match="CUDA"):
        choose_device("cuda")
