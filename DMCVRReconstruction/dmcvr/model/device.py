"""Which device to compute on and in which precision."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from ..core.errors import InputError

Network = TypeVar("Network", bound=nn.Module)
CONVERTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Layers whose weights autocast converts."""


def choose_device(name: str) -> torch.device:
    """The device for "auto", "cpu" or "cuda". Raises InputError where CUDA is asked for and is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("No CUDA device can be used by this PyTorch; choose --device cpu or auto.")
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> str:
    """ "float32" or "bfloat16"; "auto" takes bfloat16 where the processor computes in it."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return "bfloat16" if native is not None and native() else "float32"


def autocast(device: torch.device, precision: str = "auto") -> torch.autocast:
    """A context in which networks on ``device`` compute in ``precision``, as `choose_precision` has it."""
    enabled = choose_precision(precision, device) == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def convert_weights(module: nn.Module, precision: str) -> None:
    """Hold the weights of layers in the type to which `autocast` would convert them at every call: the same
    answers in less time and memory. For good, so for networks that are not trained any further.
    """
    for layer in module.modules():
        if isinstance(layer, CONVERTED):
            layer.to(getattr(torch, precision))


def placed(module: Network, device: torch.device) -> Network:
    """``module`` on ``device``; the weights of one for flat images are laid out with channels last, as their
    convolutions are fastest.
    """
    if any(parameter.dim() > 4 for parameter in module.parameters()):
        return module.to(device)
    # torch's annotations of ``to`` lack memory_format, which its documentation names.
    return module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def describe(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        return f"CUDA, {torch.cuda.get_device_name(device)}"
    count = torch.get_num_threads()
    return f"CPU, {count} thread{'s' if count > 1 else ''}"
