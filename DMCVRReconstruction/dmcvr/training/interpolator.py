"""Training of the shape interpolator: labelled slices between others, which it has to find from their shapes.

A sample is a slice of a stack with one slice before and one after it, up to three slices away, and the next
ones beyond. Every slice is displaced a little by itself, as by breath-holds, but for the one to be found.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..anatomy.signed_distances import labels_from_distances, nested_distances
from ..core.labels import NAMES
from ..model.networks.interpolator import ShapeInterpolator
from ..model.networks.presets import Preset
from .augment import factor, random_turn, still_view, uniform
from .pictures import outlined, tiled
from .slices import Slices, window_step

FARTHEST = 3
GAPS_MM = (8.0, 45.0)
"""Slices up to this many further, and gaps of this length, are trained on."""
ZOOM, JITTER_MM, SLIDE_MM = 1.25, 12.0, 0.7
ALONE_SHARE = 0.1
"""Each slice beyond is withheld from this share of the samples."""
WALL_MM = 12.0
"""How near to a structure's boundary differences count."""
CHUNK, SHOWN = 64, 8


@dataclass(frozen=True)
class InterpolatorTask:
    """See `task.Task`. data, held_out: on one device; the latter None where no case is kept apart."""

    data: Slices
    held_out: Slices | None
    preset: Preset
    part = "interpolator"

    def build(self) -> ShapeInterpolator:
        return ShapeInterpolator(self.preset.interpolator_config)

    @property
    def spacing(self) -> float:
        """mm a pixel of the interpolator's grid."""
        return self.preset.interpolator_mm

    @cached_property
    def maps(self) -> Tensor:
        """(N, 3, size, size) float16 mm, the nested distances of all slices to train on."""
        return distance_maps(self.data, self.preset)

    @cached_property
    def samples(self) -> Tensor:
        """(M, 3) every slice that can be trained on, as of `inner_samples`."""
        return inner_samples(self.data, range(1, FARTHEST + 1), GAPS_MM)

    def loss(self, module: nn.Module, count: int) -> Tensor:
        """Soft Dice and distances near the boundary, of one random batch of structures in both neighbours."""
        which = torch.randint(len(self.samples), (count,), device=self.data.device)
        sample = sample_of(self.data, self.maps, self.samples[which])
        sample = moved(sample, self.spacing)
        withheld = torch.rand_like(sample.beyond) < ALONE_SHARE
        found = along_line(module, sample, sample.beyond * ~withheld)
        return shape_loss(found, sample.truth, sample.shown)

    @torch.no_grad()
    def scores(self, module: nn.Module) -> dict[str, float]:
        """Mean Dice of the structures that both neighbours show, over the slices kept apart, each found from
        its neighbours, and by the straight line.
        """
        if self.held_out is None:
            return {}
        dice: dict[str, list] = {}
        for sample, found in self._inner_samples(module):
            shown = sample.shown.bool()
            for name, maps in (("", found), ("straight line's ", straight(sample))):
                mine, real = labels_of(maps), labels_of(sample.truth)
                for channel, (label, structure) in enumerate(NAMES.items()):
                    total = (mine == label).sum((1, 2)) + (real == label).sum((1, 2))
                    values = 2 * ((mine == label) & (real == label)).sum((1, 2)) / total.clamp_min(1)
                    counts = shown[:, channel] & (real == label).any(-1).any(-1)
                    dice.setdefault(f"{name}Dice {structure}", []).append(values[counts])
        return {name: float(torch.cat(values).mean()) for name, values in dice.items()}

    @torch.no_grad()
    def picture(self, module: nn.Module) -> np.ndarray:
        """True outlines above, those of the straight line in the middle, those found below."""
        sample, found = next(self._inner_samples(module, SHOWN))
        rows = [labels_of(maps).cpu().numpy() for maps in (sample.truth, straight(sample), found)]
        return tiled([[outlined(np.zeros(image.shape), image) for image in row] for row in rows])

    def _inner_samples(self, module: nn.Module, count: int | None = None) -> Iterator[tuple[Sample, Tensor]]:
        """Every slice between two others, of the cases kept apart or of all where none are, with its shape as
        it is found from its neighbours (B, 3, H, W); in batches. count: only so many, evenly spread.
        """
        data = self.data if self.held_out is None else self.held_out
        maps = self.maps if self.held_out is None else distance_maps(data, self.preset)
        samples = inner_samples(data, (1,), (0.0, math.inf))
        if count is not None:
            spread = torch.linspace(0, len(samples) - 1, min(count, len(samples)), device=data.device)
            samples = samples[spread.long()]
        for rows in samples.split(CHUNK):
            sample = sample_of(data, maps, rows)
            shown = sample.shown[:, :, None, None] > 0
            bent = along_line(module, sample, sample.beyond)
            yield sample, torch.where(shown, bent, straight(sample))


@dataclass(frozen=True)
class Sample:
    """maps: (B, 4, 3, H, W) mm, as in `ShapeInterpolator`; so are beyond, fraction and gap. truth: (B, 3, H,
    W) mm. shown: (B, 3) 1 for structures in both slices about the true one.
    """

    maps: Tensor
    beyond: Tensor
    fraction: Tensor
    gap: Tensor
    truth: Tensor
    shown: Tensor


def sample_of(data: Slices, maps: Tensor, rows: Tensor) -> Sample:
    """The samples ``rows`` (B, 3) of `inner_samples`. maps: (N, 3, H, W) of all slices."""
    index, before, after = rows.T
    whole = before + after
    first, last = index - before, index + after
    beyond = torch.stack([data.neighbours(first, -whole), data.neighbours(last, whole)], 1)
    places = torch.cat([torch.stack([first, last], 1), beyond.clamp_min(0)], 1)
    picked = maps[places].float()
    gap = data.positions[last] - data.positions[first]
    return Sample(
        picked,
        (beyond >= 0).float(),
        (data.positions[index] - data.positions[first]) / gap,
        gap,
        maps[index].float(),
        (picked[:, :2] > 0).any(-1).any(-1).all(1).float(),
    )


def inner_samples(data: Slices, steps, gaps_mm: tuple[float, float]) -> Tensor:
    """(M, 3) slices that lie between two others: number, slices to the one before and to the one after."""
    index = torch.arange(len(data), device=data.device)
    rows = []
    for before in steps:
        for after in steps:
            first, last = data.neighbours(index, -before), data.neighbours(index, after)
            gap = data.positions[last] - data.positions[first]
            chosen = index[(first >= 0) & (last >= 0) & (gap >= gaps_mm[0]) & (gap <= gaps_mm[1])]
            rows.append(
                torch.stack([chosen, torch.full_like(chosen, before), torch.full_like(chosen, after)], 1)
            )
    return torch.cat(rows)


def distance_maps(data: Slices, preset: Preset) -> Tensor:
    """(N, 3, size, size) float16 mm: nested distances of all slices on the interpolator's grid."""
    config, spacing = preset.interpolator_config, preset.pixel_mm
    shrink = preset.image_size // config.size
    out = []
    for index in torch.arange(len(data), device=data.device).split(CHUNK):
        labels = data.labels[index]
        blank = torch.zeros(len(index), 1, *labels.shape[1:], device=data.device)
        step = window_step(preset, data.spacings[index])
        _, views = still_view(blank, labels, data.centres[index], preset.image_size, step)
        maps = nested_distances(views.cpu().numpy().astype(np.uint8), (spacing, spacing), config.reach_mm)
        out.append(F.avg_pool2d(torch.from_numpy(maps), shrink).half())
    return torch.cat(out).to(data.device)


def moved(sample: Sample, spacing: float) -> Sample:
    """The samples turned by any angle, mirrored half of the time, displaced and zoomed; all slices of one
    alike, but for a small displacement of each of the given ones. spacing: mm a pixel.
    """
    count, size = len(sample.truth), sample.truth.shape[-1]
    half = size * spacing / 2
    like = sample.truth
    zoom = factor(like, ZOOM).flatten()
    turn = random_turn(like) * zoom[:, None, None]
    centre = uniform(like, -1, 1, 2) * JITTER_MM / half

    def look(maps: Tensor, slide: Tensor) -> Tensor:
        grid = F.affine_grid(
            torch.cat([turn, (centre + slide)[:, :, None]], 2), list(maps.shape), align_corners=False
        )
        # Distances shrink with what they are distances of.
        seen = F.grid_sample(maps, grid, padding_mode="border", align_corners=False)
        return seen / zoom[:, None, None, None]

    slides = torch.randn(count, sample.maps.shape[1], 2, device=like.device) * SLIDE_MM / half
    maps = torch.stack([look(sample.maps[:, k], slides[:, k]) for k in range(sample.maps.shape[1])], 1)
    truth = look(sample.truth, torch.zeros(count, 2, device=like.device))
    return Sample(maps, sample.beyond, sample.fraction, sample.gap, truth, sample.shown)


def labels_of(maps: Tensor) -> Tensor:
    """Labels (B, 2 H, 2 W) uint8 of maps (B, 3, H, W), on pixels fine enough to count by."""
    fine = F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
    return torch.from_numpy(labels_from_distances(fine.cpu().numpy())).to(maps.device)


def straight(sample: Sample) -> Tensor:
    """Eq. 5: (B, 3, H, W) mm."""
    fraction = sample.fraction[:, None, None, None]
    return (1 - fraction) * sample.maps[:, 0] + fraction * sample.maps[:, 1]


def along_line(module: nn.Module, sample: Sample, beyond: Tensor) -> Tensor:
    """The straight line and what the network adds to it: (B, 3, H, W) mm."""
    return straight(sample) + module(sample.maps, beyond, sample.fraction, sample.gap)


def shape_loss(found: Tensor, truth: Tensor, shown: Tensor) -> Tensor:
    """Soft Dice, its edges a millimetre soft, and a third of the mean difference in mm near the boundary.

    found, truth: (B, 3, H, W) mm. shown: (B, 3), which of them count.
    """
    counts = shown[:, :, None, None]
    mine, real = torch.sigmoid(found), torch.sigmoid(truth)
    overlap = (mine * real * counts).sum((0, 2, 3))
    total = ((mine + real) * counts).sum((0, 2, 3))
    dice = 1 - ((2 * overlap + 1) / (total + 1)).mean()
    near = (truth.abs() < WALL_MM) * counts
    difference = (found - truth).clamp(-WALL_MM, WALL_MM).abs()
    return 5 * dice + (difference * near).sum() / near.sum().clamp_min(1) / 3
