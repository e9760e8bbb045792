"""Weights on disk and in networks: read once, checked against their hashes, assigned."""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors.torch import load
from torch import Tensor
from torch.nn import Module

from ..core.errors import InputError
from ..system.untrusted import lies_in
from .networks.denoiser import Denoiser
from .networks.interpolator import ShapeInterpolator
from .networks.medformer import MedFormer
from .networks.presets import Preset
from .networks.semantic import SemanticEncoder


def build(preset: Preset) -> tuple[MedFormer, SemanticEncoder, Denoiser, ShapeInterpolator | None]:
    """The preset's networks, freshly initialised; the last is None where the preset has none."""
    return (
        MedFormer(preset.segmenter),
        SemanticEncoder(preset.semantic),
        Denoiser(preset.denoiser),
        ShapeInterpolator(preset.interpolator) if preset.interpolator is not None else None,
    )


def checked_weights(folder: Path, part: str, hashes: dict[str, str]) -> bytes:
    """The contents of the file of ``part``'s weights: the very bytes that were hashed, so that a file which
    is swapped in between changes nothing.

    Raises InputError where there is none, its hash is another, or a link leads out of the folder.
    """
    path = folder / f"{part}.safetensors"
    contents = path.read_bytes() if path.is_file() and lies_in(folder, path.name) else b""
    if hashlib.sha256(contents).hexdigest() != hashes.get(part):
        raise InputError(
            f"The model folder's {part} weights are missing or were changed: "
            "their SHA-256 is not the one in model.json. Copy the model folder again."
        )
    return contents


def read_weights(contents: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file, those stored in half precision as float32."""
    return {
        name: value.float() if value.is_floating_point() else value for name, value in load(contents).items()
    }


def fill(module: Module, weights: dict[str, Tensor]) -> None:
    """Give ``module`` its weights. Raises RuntimeError where names, shapes or types are not the module's."""
    for name, value in module.state_dict().items():
        if name in weights and weights[name].dtype != value.dtype:
            raise RuntimeError(f"{name} is of type {weights[name].dtype}, not {value.dtype}")
    module.load_state_dict(weights, assign=True)


def part_of(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix``, without it."""
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
