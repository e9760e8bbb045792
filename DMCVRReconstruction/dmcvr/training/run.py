"""One training run of either network, from prepared slices to weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from ..errors import InputError
from ..networks.medformer import MedFormer
from ..networks.presets import Preset, to_dict
from .data import Slices
from .generator import Generator, generator_loss
from .segmenter import segmenter_loss
from .trainer import TrainingOptions, fit

PARTS = {
    "segmenter": (lambda preset: MedFormer(preset.segmenter), segmenter_loss),
    "generator": (Generator, generator_loss),
}


def resized(preset: Preset, size: int) -> Preset:
    """``preset`` with images of ``size`` pixels a side that show the same window."""
    window = preset.image_size * preset.spacing_mm
    return dataclasses.replace(preset, image_size=size, spacing_mm=window / size)


def train(
    part: str,
    data: Slices,
    preset: Preset,
    options: TrainingOptions,
    folder: Path,
    device: torch.device,
    log: Callable[[dict], None],
    size: int | None = None,
    init: Path | None = None,
) -> Path:
    """Train "segmenter" or "generator" and return the path of its weights, ``PART.safetensors`` in
    ``folder``.

    size: side in pixels of the views trained on; they always show the preset's window, so half the size is
        half the resolution, at about a third of the cost: a good first stage.
    init: weights of an earlier run to start from.

    Raises InputError where ``init`` does not fit the preset or ``folder`` holds another run's checkpoint.
    """
    build, loss = PARTS[part]
    viewed = preset if size is None else resized(preset, size)
    torch.manual_seed(options.seed)
    module: nn.Module = build(preset)
    if init is not None:
        try:
            module.load_state_dict(load_file(init))
        except (OSError, RuntimeError, SafetensorError) as error:
            raise InputError(f"The weights to start from are none of a {part} of this preset.") from error
    module = module.to(device, memory_format=torch.channels_last)
    subject = {"part": part, "preset": to_dict(viewed), "stacks": data.names, "spacing": data.spacing}
    average = fit(
        module, lambda: loss(module, data, viewed, options.batch, device), options, folder, log, subject
    )
    path = folder / f"{part}.safetensors"
    save_file({name: value.detach().cpu().contiguous() for name, value in average.items()}, path)
    return path
