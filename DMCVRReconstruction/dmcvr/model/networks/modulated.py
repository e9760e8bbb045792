"""The modulated convolution of StyleGAN2 (Karras et al., CVPR 2020, section 2.2 and appendix B)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-8


class ModulatedConv(nn.Module):
    """A convolution whose input channels each sample scales by its own style, (B, C_in, H, W) and codes
    (B, code) to (B, C_out, H, W).

    With style s and weights w, w'_ijk = s_i w_ijk (eq. 1); the output is brought back to unit standard
    deviation by w''_ijk = w'_ijk / sqrt(sum over i and k of w'_ijk^2 + epsilon) (eq. 3), unless
    ``demodulate`` is False, as in StyleGAN2's output layers.

    Scaling a convolution's input channels scales its weights, and so does scaling its output channels: all
    samples share one convolution, instead of each having weights of its own.
    """

    def __init__(
        self, channels_in: int, channels_out: int, code: int, kernel: int = 3, demodulate: bool = True
    ):
        super().__init__()
        self.style = nn.Linear(code, channels_in)
        nn.init.ones_(self.style.bias)
        self.weight = nn.Parameter(
            torch.randn(channels_out, channels_in, kernel, kernel) / math.sqrt(channels_in * kernel**2)
        )
        self.bias = nn.Parameter(torch.zeros(channels_out))
        self.demodulate = demodulate

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        style = self.style(code).float()
        out = F.conv2d(
            x * style[:, :, None, None].to(x.dtype), self.weight, padding=self.weight.shape[-1] // 2
        )
        if self.demodulate:
            power = self.weight.square().sum((2, 3))
            scale = torch.rsqrt((style.square()[:, None] * power).sum(2) + EPSILON)
            out = out * scale[:, :, None, None].to(out.dtype)
        return out + self.bias[:, None, None].to(out.dtype)
