"""Model bundles on disk.

A bundle is a folder with ``model.json`` (preset, label order, provenance, licence, scores, SHA-256 of the
weights) and, a file each, the weights of the preset's parts: ``segmenter.safetensors``,
``generator.safetensors`` and, where the preset has them, ``shifts.safetensors`` and ``shape.safetensors``; of
the DeepRecon-style baseline ``deeprecon.safetensors`` alone.
Reading a card needs no torch.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from ..core.errors import InputError
from ..system.untrusted import lies_inside, read_json
from .networks.deeprecon_preset import DeepReconPreset, deeprecon_preset
from .networks.presets import Preset, from_dict

CARD = "model.json"
TOLD = ("name", "licence")  # what records and reports tell of the card
BUNDLES = Path(__file__).parent / "bundles"
DEFAULT_BUNDLE = BUNDLES / "compact"


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def model_sha256(card: dict) -> str:
    """One hash for the whole model: of the hashes of its parts."""
    return hashlib.sha256(json.dumps(card.get("sha256", {}), sort_keys=True).encode()).hexdigest()


def read_card(folder: Path) -> dict:
    """The contents of a bundle's ``model.json``. Raises InputError if there is none that can be read."""
    try:
        if not lies_inside(folder, CARD):
            raise ValueError("the card is a link to another place")
        card = read_json(folder / CARD)
        preset_of(card)
        if not isinstance(card["sha256"], dict) or not all(isinstance(card[key], str) for key in TOLD):
            raise ValueError("the card's hashes are no table, or its name or licence is no text")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("The model folder holds no readable model.json.") from error
    return card


def preset_of(card: dict) -> Preset | DeepReconPreset:
    """The preset in a card, of either kind of model. Raises ValueError for one that makes no sense."""
    values = card["preset"]
    return from_dict(values) if "segmenter" in values else deeprecon_preset(values)


def write_bundle(
    folder: Path, preset: Preset | DeepReconPreset, weights: dict[str, Path], about: dict
) -> None:
    """Make a bundle of trained weights, stored in half precision.

    weights: by part of the preset, paths of the weights that training wrote. about: name, licence, data,
    training, scores: whatever the card should say beside preset and hashes.
    """
    from safetensors.torch import load_file, save_file

    folder.mkdir(parents=True, exist_ok=True)
    hashes = {}
    for part in preset.parts:
        path = folder / f"{part}.safetensors"
        half = {
            name: value.half() if value.is_floating_point() else value
            for name, value in load_file(weights[part]).items()
        }
        save_file(half, path)
        hashes[part] = file_hash(path)
    card = {
        **about,
        "preset": asdict(preset),
        "labels": {"1": "LVC", "2": "LVM", "3": "RVC"},
        "sha256": hashes,
    }
    (folder / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
