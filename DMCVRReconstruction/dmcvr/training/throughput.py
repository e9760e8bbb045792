"""How much of what a device can do a training run uses."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode


def synchronise(device: torch.device) -> None:
    """Wait until ``device`` has done what it was asked to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_flops(device: torch.device, precision: str, seconds: float = 0.5) -> float:
    """The floating-point operations a second that multiplying large square matrices reaches on ``device``, at
    best over about ``seconds``: what is meant by its measured peak.

    precision: "float32" or "bfloat16".
    """
    size = 8192 if device.type == "cuda" else 1536
    matrix = torch.randn(size, size, device=device, dtype=getattr(torch, precision))
    best, ends = float("inf"), time.perf_counter() + seconds
    while True:
        synchronise(device)
        started = time.perf_counter()
        matrix @ matrix
        synchronise(device)
        best = min(best, time.perf_counter() - started)
        if time.perf_counter() > ends:
            return 2 * size**3 / best


def flops_of(action: Callable[[], None]) -> int:
    """The floating-point operations of the convolutions and matrix products in ``action``, those of gradients
    included; a multiply-add counts twice.
    """
    with FlopCounterMode(display=False) as counter:
        action()
    return counter.get_total_flops()
