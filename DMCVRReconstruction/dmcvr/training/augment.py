"""Random views of prepared slices, drawn for a whole batch at once from torch's global generator."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """What a random view may differ by.

    jitter_mm: the view's centre is displaced by up to this in both directions.
    zoom: pixels are up to this factor larger or smaller, evenly in the logarithm.
    gain, gamma: brightness and contrast, factors evenly in the logarithm.
    bias: strength of a smooth bias field. noise: highest standard deviation of added noise.
    blur: highest standard deviation, in pixels, of a Gaussian blur that half of the views get.
    coarse: a third of the views are resampled from pixels up to this many times larger.
    slide: neighbouring slices are displaced by up to this many pixels against the slice itself.
    """

    jitter_mm: float = 20.0
    zoom: float = 1.25
    gain: float = 1.35
    gamma: float = 1.4
    bias: float = 0.3
    noise: float = 0.05
    blur: float = 1.0
    coarse: float = 2.0
    slide: float = 2.0


SEGMENTER = Augmentation()
GENERATOR = Augmentation(
    jitter_mm=10.0, zoom=1.2, gain=1.2, gamma=1.15, bias=0.15, noise=0.0, blur=0.0, coarse=1.0, slide=0.0
)


def uniform(count: int, low: float, high: float) -> Tensor:
    """(count,) numbers evenly in [low, high)."""
    return low + (high - low) * torch.rand(count)


def random_view(
    images: Tensor,
    labels: Tensor,
    centres: Tensor,
    size: int,
    step: Tensor,
    jitter: float,
    augmentation: Augmentation,
) -> tuple[Tensor, Tensor]:
    """Views of images (B, K, size, size) and labels (B, 1, size, size), turned by any angle, mirrored half of
    the time.

    images: (B, K, C, C), a slice in the middle channel and its neighbours about it. labels: (B, 1, C, C).
    centres: (B, 2) [row, column] about which to look, displaced by up to ``jitter`` pixels.
    step: (B,) pixels of the source that one pixel of the view covers, before the random zoom.
    """
    count, channels, canvas = images.shape[:3]
    angle = uniform(count, 0, 2 * math.pi)
    scale = step * torch.exp(uniform(count, -1, 1) * math.log(augmentation.zoom))
    mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    centres = centres + (torch.rand(count, 2) * 2 - 1) * jitter
    # grid_sample's coordinates: x first, -1 and 1 at the outer edges of the canvas.
    extent = scale * size / canvas
    shift = (centres.flip(1) + 0.5) * 2 / canvas - 1
    cosine, sine = torch.cos(angle) * extent, torch.sin(angle) * extent
    rows = [torch.stack([cosine * mirror, -sine], 1), torch.stack([sine * mirror, cosine], 1)]

    def sample(source: Tensor, shift: Tensor, mode: str) -> Tensor:
        matrix = torch.cat([torch.stack(rows, 1), shift[:, :, None]], 2)
        grid = F.affine_grid(matrix, (count, 1, size, size), align_corners=False)
        return F.grid_sample(source, grid, mode=mode, align_corners=False)

    # What is finer than the view's pixels is smoothed away first, so that it does not alias.
    sigma = torch.where(step > 1.2, 0.4 * step, 0.0)
    if (sigma > 0).any():
        images = gaussian_blur(images, sigma)
    view = []
    for channel in range(channels):
        slide = (torch.rand(count, 2) * 2 - 1) * augmentation.slide * scale[:, None] * 2 / canvas
        own = shift if channel == channels // 2 else shift + slide
        view.append(sample(images[:, channel : channel + 1], own, "bilinear"))
    label_view = sample(labels.float(), shift, "nearest")
    return change_intensity(torch.cat(view, 1), augmentation), label_view


def change_intensity(images: Tensor, augmentation: Augmentation) -> Tensor:
    """Images (B, K, H, W), made as if of another scanner and clipped to [0, 1]; what is 0 throughout, a slice
    that is not there, stays so.
    """
    count, shown = len(images), images.amax((2, 3), keepdim=True) > 0

    def factor(limit: float) -> Tensor:
        return torch.exp(uniform(count, -1, 1) * math.log(limit)).view(-1, 1, 1, 1)

    if augmentation.coarse > 1:
        images = make_coarse(images, augmentation.coarse)
    if augmentation.blur > 0:
        sigma = torch.where(torch.rand(count) < 0.5, uniform(count, 0, augmentation.blur), torch.zeros(count))
        images = gaussian_blur(images, sigma)
    coarse_field = torch.randn(count, 1, 3, 3) * augmentation.bias / 2
    field = F.interpolate(coarse_field, images.shape[-2:], mode="bicubic", align_corners=True).exp()
    images = (images.clamp_min(0) * field * factor(augmentation.gain)).pow(factor(augmentation.gamma))
    if augmentation.noise > 0:
        images = images + torch.randn_like(images) * uniform(count, 0, augmentation.noise).view(-1, 1, 1, 1)
    return images.clamp(0, 1) * shown


def make_coarse(images: Tensor, limit: float) -> Tensor:
    """Images (B, K, H, W), a third of them as if acquired in pixels up to ``limit`` times larger."""
    out = images.clone()
    factors = torch.exp(uniform(len(images), 0, 1) * math.log(limit))
    for index in torch.nonzero(torch.rand(len(images)) < 1 / 3)[:, 0].tolist():
        size = [max(1, round(side / float(factors[index]))) for side in images.shape[2:]]
        small = F.interpolate(images[index : index + 1], size, mode="bilinear", antialias=True)
        out[index] = F.interpolate(small, images.shape[2:], mode="bilinear")[0]
    return out


def gaussian_blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Images (B, K, H, W), each blurred with its own standard deviation (B,) in pixels; 0 leaves an image as
    it is.
    """
    offsets = torch.arange(-4, 5, dtype=images.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma.clamp_min(1e-3)[:, None]) ** 2)
    kernel = kernel / kernel.sum(1, keepdim=True)
    count = len(images)
    stacked = F.pad(images.transpose(0, 1), (4, 4, 4, 4), mode="replicate")
    stacked = F.conv2d(stacked, kernel.view(count, 1, 9, 1), groups=count)
    return F.conv2d(stacked, kernel.view(count, 1, 1, 9), groups=count).transpose(0, 1)
