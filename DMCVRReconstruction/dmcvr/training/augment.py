"""Random views of prepared slices, drawn for a whole batch at once on the batch's device, from torch's global
generators.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.labels import LVC, LVM, RVC


@dataclass(frozen=True)
class Augmentation:
    """What a random view may differ by.

    jitter_mm: the view's centre is displaced by up to this in both directions.
    zoom: pixels are up to this factor larger or smaller, evenly in the logarithm.
    gain, gamma: brightness and contrast, factors evenly in the logarithm.
    bias: strength of a smooth bias field. noise: highest standard deviation of added noise.
    blur: highest standard deviation, in pixels, of a Gaussian blur that half of the views get.
    coarse: a third of the views are as if acquired in pixels up to this many times larger.
    rv_size, lv_size: (low, high) factors, evenly in the logarithm, by which each ventricle's middle is
        resized in half of the views; what lies about it gives way smoothly. Diseases that the training data
        lack change the ventricles against each other: a failing RV outgrows the LV, and below the LV's apex.
    trabeculae: how much of its brightness the RV's blood loses at most where muscle is drawn into it, in half
        of the views; its label stays.
    slide: neighbouring slices are displaced by up to this many pixels against the slice itself, as by
        breath-holds.
    """

    jitter_mm: float = 15.0
    zoom: float = 1.2
    gain: float = 1.25
    gamma: float = 1.3
    bias: float = 0.2
    noise: float = 0.03
    blur: float = 0.7
    coarse: float = 1.5
    rv_size: tuple[float, float] = (0.75, 1.6)
    lv_size: tuple[float, float] = (0.6, 1.3)
    trabeculae: float = 0.4
    slide: float = 1.5


SEGMENTER = Augmentation()
GENERATOR = Augmentation(
    jitter_mm=10.0,
    zoom=1.2,
    gain=1.2,
    gamma=1.15,
    bias=0.15,
    noise=0.0,
    blur=0.0,
    coarse=1.0,
    rv_size=(1.0, 1.0),
    lv_size=(1.0, 1.0),
    trabeculae=0.0,
    slide=0.0,
)


def uniform(like: Tensor, low: float, high: float, columns: int | None = None) -> Tensor:
    """(B,) or (B, columns) numbers evenly in [low, high) for a batch ``like`` (B, ...), on its device."""
    shape = (len(like),) if columns is None else (len(like), columns)
    return low + (high - low) * torch.rand(shape, device=like.device)


def factor(like: Tensor, limit: float) -> Tensor:
    """(B, 1, 1, 1) factors evenly in the logarithm between 1 / ``limit`` and ``limit``."""
    return torch.exp(uniform(like, -1, 1) * math.log(limit)).view(-1, 1, 1, 1)


def random_turn(like: Tensor) -> Tensor:
    """(B, 2, 2) turns by any angle, half of them mirrored, for coordinates [x, y]."""
    angle = uniform(like, 0, 2 * math.pi)
    mirror = torch.where(uniform(like, 0, 1) < 0.5, -1.0, 1.0)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    return torch.stack([torch.stack([cosine * mirror, -sine], 1), torch.stack([sine * mirror, cosine], 1)], 1)


def look(
    images: Tensor,
    labels: Tensor,
    shifts: list[Tensor],
    turn: Tensor,
    size: int,
    step: Tensor,
    sizes: dict[tuple[int, ...], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Views of images (B, K, size, size) and labels (B, size, size).

    images: (B, K, C, C), a slice in the middle channel and its neighbours about it. labels: (B, C, C).
    shifts: for each channel (B, 2) [row, column] about which to look. turn: (B, 2, 2), from the view's [x, y]
        to the source's. step: (B,) pixels of the source that one pixel of the view covers.
    sizes: by the labels of a ventricle (B,) factors by which its middle is enlarged in the view.
    """
    count, channels, canvas = images.shape[:3]
    places = F.affine_grid(
        torch.eye(2, 3, device=images.device).expand(count, 2, 3), [count, 1, size, size], align_corners=False
    )
    # grid_sample's coordinates: x first, -1 and 1 at the outer edges of the canvas.
    linear = turn * (step * size / canvas)[:, None, None]

    def sample(source: Tensor, centres: Tensor, mode: str) -> Tensor:
        shift = (centres.flip(1) + 0.5) * 2 / canvas - 1
        grid = places @ linear.transpose(1, 2)[:, None] + shift[:, None, None]
        return F.grid_sample(source, grid, mode=mode, align_corners=False)

    if sizes:
        seen = sample(labels[:, None].float(), shifts[channels // 2], "nearest")[:, 0]
        moved = places
        # One after the other, since the sum of both may fold where each alone does not.
        for members, factors in sizes.items():
            moved = moved + growth(moved, places, seen, members, factors)
        places = moved
    # What is finer than the view's pixels is smoothed away first, so that it does not alias.
    images = gaussian_blur(images, torch.where(step > 1.2, 0.4 * step, 0.0))
    views = [sample(images[:, k : k + 1], shifts[k], "bilinear") for k in range(channels)]
    return torch.cat(views, 1), sample(labels[:, None].float(), shifts[channels // 2], "nearest")[:, 0]


def growth(
    looked_at: Tensor, places: Tensor, labels: Tensor, members: tuple[int, ...], factors: Tensor
) -> Tensor:
    """(B, H, W, 2) by how much to look elsewhere than at ``looked_at`` for the part with the labels
    ``members`` to appear ``factors`` (B,) times larger in its middle; nothing where there is no such part.

    places: (B, H, W, 2) where the pixels of labels (B, H, W) lie. The displacement toward the middle fades as
    a Gaussian as wide as the part; for factors above 0.31 it folds nowhere.
    """
    mask = torch.isin(labels, labels.new_tensor(members)).float()[..., None]
    area = mask.sum((1, 2))
    middle = (mask * places).sum((1, 2)) / area.clamp_min(1)
    pixel = 2 / labels.shape[-1]
    width = 1.2 * pixel * (area / math.pi).sqrt().clamp_min(1)
    away = looked_at - middle[:, None, None]
    fade = torch.exp(-away.square().sum(-1, keepdim=True) / (2 * width**2)[:, None, None])
    return away * fade * ((1 / factors - 1)[:, None] * (area > 0))[:, None, None]


def still_view(
    images: Tensor, labels: Tensor, centres: Tensor, size: int, step: Tensor
) -> tuple[Tensor, Tensor]:
    """Views about ``centres`` (B, 2) as they are, images clipped to [0, 1]; shapes as in `look`."""
    turn = torch.eye(2, device=images.device).expand(len(images), 2, 2)
    views, view_labels = look(images, labels, [centres] * images.shape[1], turn, size, step)
    return views.clamp(0, 1), view_labels


def random_view(
    images: Tensor,
    labels: Tensor,
    centres: Tensor,
    size: int,
    step: Tensor,
    jitter: Tensor | float,
    augmentation: Augmentation,
) -> tuple[Tensor, Tensor]:
    """Views about ``centres`` (B, 2), displaced by up to ``jitter`` (B, 1) pixels, turned by any angle,
    mirrored half of the time and changed in intensity; shapes as in `look`.

    step: (B,) pixels of the source that one pixel of the view covers, before the random zoom.
    """
    channels = images.shape[1]
    step_zoomed = step * factor(images, augmentation.zoom).flatten()
    centres = centres + uniform(images, -1, 1, 2) * jitter
    shifts = [
        centres + uniform(images, -1, 1, 2) * augmentation.slide * step[:, None] * (k != channels // 2)
        for k in range(channels)
    ]
    limits = {(RVC,): augmentation.rv_size, (LVC, LVM): augmentation.lv_size}
    sizes = {
        members: torch.where(uniform(images, 0, 1) < 0.5, torch.exp(uniform(images, low, high)), 1.0)
        for members, limit in limits.items()
        for low, high in [(math.log(limit[0]), math.log(limit[1]))]
        if low or high
    }
    views, view_labels = look(images, labels, shifts, random_turn(images), size, step_zoomed, sizes)
    if augmentation.trabeculae > 0:
        views = trabeculated(views, view_labels == RVC, augmentation.trabeculae)
    return change_intensity(views, augmentation), view_labels


def trabeculated(images: Tensor, cavity: Tensor, limit: float) -> Tensor:
    """Images (B, K, H, W), half of them with muscle strewn into ``cavity`` (B, H, W) bool, which takes up to
    ``limit`` of the brightness there: grains of 1 to 2.5 pixels, few or many.
    """
    grains = gaussian_blur(torch.randn_like(images[:, :1]), uniform(images, 1, 2.5))
    grains = grains / grains.std((2, 3), keepdim=True)
    rarity, strength = uniform(images, 0, 2), uniform(images, 0, limit)
    strength = torch.where(uniform(images, 0, 1) < 0.5, strength, 0.0)
    muscle = torch.sigmoid(4 * (grains - rarity.view(-1, 1, 1, 1))) * cavity[:, None]
    return images * (1 - strength.view(-1, 1, 1, 1) * muscle)


def change_intensity(images: Tensor, augmentation: Augmentation) -> Tensor:
    """Images (B, K, H, W), made as if of another scanner and clipped to [0, 1]; what is 0 throughout, a slice
    that is not there, stays so.
    """
    shown = images.amax((2, 3), keepdim=True) > 0
    if augmentation.coarse > 1:
        images = make_coarse(images, augmentation.coarse)
    if augmentation.blur > 0:
        sigma = uniform(images, 0, augmentation.blur)
        images = gaussian_blur(images, torch.where(uniform(images, 0, 1) < 0.5, sigma, 0.0))
    field = torch.randn(len(images), 1, 3, 3, device=images.device) * augmentation.bias / 2
    field = F.interpolate(field, images.shape[-2:], mode="bicubic", align_corners=True).exp()
    gain, gamma = factor(images, augmentation.gain), factor(images, augmentation.gamma)
    images = (images.clamp_min(0) * field * gain).pow(gamma)
    if augmentation.noise > 0:
        strength = uniform(images, 0, augmentation.noise).view(-1, 1, 1, 1)
        images = images + torch.randn_like(images) * strength
    return images.clamp(0, 1) * shown


def make_coarse(images: Tensor, limit: float) -> Tensor:
    """Images (B, K, H, W), a third of them as if acquired in pixels up to ``limit`` times larger: smoothed,
    read at larger distances, and interpolated linearly.
    """
    larger = torch.exp(uniform(images, 0, 1) * math.log(limit))
    chosen = (uniform(images, 0, 1) < 1 / 3).nonzero()[:, 0]
    if not len(chosen):
        return images
    larger, fine = larger[chosen], images[chosen]
    zero = torch.zeros_like(larger)

    def zoomed(source: Tensor, scale: Tensor) -> Tensor:
        matrix = torch.stack([torch.stack([scale, zero, zero], 1), torch.stack([zero, scale, zero], 1)], 1)
        grid = F.affine_grid(matrix, list(source.shape), align_corners=False)
        return F.grid_sample(source, grid, mode="bilinear", padding_mode="border", align_corners=False)

    coarse = zoomed(zoomed(gaussian_blur(fine, 0.4 * larger), larger), 1 / larger)
    return images.index_copy(0, chosen, coarse)


def gaussian_blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Images (B, K, H, W), each blurred with its own standard deviation (B,) in pixels; 0 leaves an image as
    it is.
    """
    chosen = (sigma > 0).nonzero()[:, 0]
    count = len(chosen)
    if not count:
        return images
    offsets = torch.arange(-4, 5, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (offsets / sigma[chosen, None]) ** 2)
    kernel = kernel / kernel.sum(1, keepdim=True)
    stacked = F.pad(images[chosen].transpose(0, 1), (4, 4, 4, 4), mode="replicate")
    stacked = F.conv2d(stacked, kernel.view(count, 1, 9, 1), groups=count)
    stacked = F.conv2d(stacked, kernel.view(count, 1, 1, 9), groups=count)
    return images.index_copy(0, chosen, stacked.transpose(0, 1))
