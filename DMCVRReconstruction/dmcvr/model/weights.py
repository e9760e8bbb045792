"""Weights on disk and in networks: read once, checked against their hashes, assigned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor
from torch.nn import Module, ModuleDict

from ..core.errors import InputError, explain_fault
from ..system.untrusted import lies_inside
from .networks.denoiser import Denoiser
from .networks.presets import OPTIONAL_PARTS, Preset
from .networks.segmenters import Segmenter, build_segmenter
from .networks.semantic import SemanticEncoder
from .networks.shape_completer import ShapeCompleter
from .networks.shift_estimator import ShiftEstimator

# What networks raise when they are built by a preset of the right form whose values make no sense.
NONSENSE = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, AssertionError)


@dataclass(frozen=True)
class Networks:
    """All networks of a preset; None for those that it does without."""

    segmenter: Segmenter
    semantic: SemanticEncoder
    denoiser: Denoiser
    shifts: ShiftEstimator | None = None
    shape: ShapeCompleter | None = None

    @property
    def parts(self) -> dict[str, Module]:
        """The networks by their part in a bundle; semantic encoder and denoiser share the generator's."""
        generator = ModuleDict({"semantic": self.semantic, "denoiser": self.denoiser})
        optional = {part: getattr(self, part) for part in OPTIONAL_PARTS}
        present = {part: network for part, network in optional.items() if network is not None}
        return {"segmenter": self.segmenter, "generator": generator, **present}


def build(preset: Preset) -> Networks:
    """The preset's networks, freshly initialised."""
    kinds = {"shifts": ShiftEstimator, "shape": ShapeCompleter}
    return Networks(
        build_segmenter(preset.segmenter),
        SemanticEncoder(preset.semantic),
        Denoiser(preset.denoiser),
        **{part: kind(getattr(preset, part)) for part, kind in kinds.items() if getattr(preset, part)},
    )


def checked_weights(folder: Path, part: str, hashes: dict[str, str]) -> bytes:
    """The contents of the file of ``part``'s weights: the very bytes that were hashed, so that a file which
    is swapped in between changes nothing.

    Raises InputError where there is none, its hash is another, or a link leads out of the folder.
    """
    path = folder / f"{part}.safetensors"
    contents = path.read_bytes() if path.is_file() and lies_inside(folder, path.name) else b""
    if hashlib.sha256(contents).hexdigest() != hashes.get(part):
        raise InputError(
            f"The model folder's {part} weights are missing or were changed: "
            "their SHA-256 is not the one in model.json. Copy the model folder again."
        )
    return contents


@contextmanager
def fitted() -> Iterator[None]:
    """While networks are built and filled: what they raise where preset and weights are damaged or do not fit
    becomes an InputError.
    """
    try:
        yield
    except (SafetensorError, RuntimeError, *NONSENSE) as error:
        if explain_fault(error):  # too little memory says nothing against the model
            raise
        raise InputError(
            "The model folder's weights cannot be read or do not fit the preset in its model.json."
        ) from error


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
