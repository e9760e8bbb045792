"""``dmcvr train``."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError

from ..bundle import write_bundle
from ..device import choose_device
from ..errors import InputError
from ..model import Model
from ..networks.presets import COMPACT, PRESETS
from ..phantom import make_phantom, random_config
from ..stack import Stack
from ..staging import made_folder, staged_folder
from ..training.data import Slices, load, prepare, read_pairs
from ..training.run import train
from ..training.trainer import TrainingOptions


def run(arguments: argparse.Namespace) -> None:
    """Train one network, or put two trained ones into a bundle."""
    if arguments.part == "bundle":
        _bundle(arguments)
        return
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    options = TrainingOptions(
        steps=arguments.steps, batch=arguments.batch, learning_rate=arguments.rate, seed=arguments.seed
    )
    if arguments.init is not None and not arguments.init.is_file():
        raise InputError("The file for --init does not exist; check the path.")
    preset = PRESETS[arguments.preset]
    with made_folder(arguments.output / "data"):
        path = train(
            arguments.part,
            _prepared(arguments, preset.spacing_mm),
            preset,
            options,
            arguments.output,
            choose_device(arguments.device),
            lambda entry: print(json.dumps(entry), flush=True),
            size=arguments.size,
            init=arguments.init,
        )
    print(f"Weights: {path}")


def _bundle(arguments: argparse.Namespace) -> None:
    """Put two trained networks into a model folder that is known to load."""
    try:
        about = json.loads(arguments.about.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("The file for --about is no JSON file that can be read.") from error
    if not isinstance(about, dict) or not {"name", "licence"} <= about.keys():
        raise InputError("The file for --about must hold a JSON object with at least name and licence.")
    weights = {"segmenter": arguments.segmenter, "generator": arguments.generator}
    with staged_folder(arguments.output) as folder:
        try:
            write_bundle(folder, COMPACT, weights, about)
            Model.load(folder, "cpu", "float32")
        except (OSError, RuntimeError, SafetensorError) as error:
            raise InputError(
                "The weights for --segmenter or --generator are missing or not those of the compact preset."
            ) from error
    print(f"Model folder: {arguments.output}")


def _prepared(arguments: argparse.Namespace, spacing: float) -> Slices:
    """The training arrays, made on the first call and reused when a run is resumed."""
    folder = arguments.output / "data"
    if not (folder / "stacks.json").exists():
        return prepare(_cases(arguments), folder, spacing)
    return load(folder)


def _cases(arguments: argparse.Namespace) -> Iterator[tuple[str, Stack, np.ndarray]]:
    try:
        left_out = re.compile(arguments.hold_out) if arguments.hold_out else None
    except re.error as error:
        raise InputError(f"The pattern for --hold-out is no regular expression: {error}.") from error

    def keep(name: str) -> bool:
        return left_out is None or left_out.search(name) is None

    for folder in arguments.data:
        yield from read_pairs(Path(folder), arguments.label_values, keep)
    for seed in range(arguments.phantoms):
        config = random_config(seed)
        # Every other one at the end of systole, which a third of the beat comes near.
        frame = 0 if seed % 2 == 0 else config.n_frames // 3
        phantom = make_phantom(config, frames=[frame])
        yield f"phantom{seed:04d}", phantom.sax, phantom.sax_labels[0]
