"""``dmcvr train``."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError

from ...core.errors import InputError
from ...io.labelled import LabelledStack, read_pairs
from ...model.bundle import write_bundle
from ...model.device import choose_device
from ...model.inference import Model
from ...model.networks.deeprecon_preset import DEEPRECON
from ...model.networks.presets import PRESETS
from ...simulation.phantom import make_phantom, random_config
from ...simulation.shapemodel import training_hearts
from ...system.staging import made_folder, staged_folder
from ...training.data import LISTING, is_prepared, load, prepare
from ...training.deeprecon_run import train_deeprecon
from ...training.heart_distances import hearts_to_train_on, held_back_hearts, prepare_hearts
from ...training.recipe import run_stages
from ...training.run import TrainingJob, train
from ...training.simulated_run import TASKS, SimulatedHearts, train_on_hearts
from ...training.slices import ARRAYS, Slices
from ...training.trainer import TrainingOptions

HELD_BACK = 8
"""Random hearts beside the held-back subjects on which runs on simulated hearts score themselves."""
FEWEST_PHANTOMS = 24
"""Of which, at least, the recipe simulates stacks."""


def run(arguments: argparse.Namespace) -> None:
    """Prepare data, train one network or all, or put trained ones into a model folder."""
    if getattr(arguments, "threads", None) is not None:
        torch.set_num_threads(arguments.threads)
    own = {
        "data": _data,
        "bundle": _bundle,
        "deeprecon": _deeprecon,
        "recipe": _recipe,
        **dict.fromkeys(TASKS, _train_on_hearts),
    }
    own.get(arguments.part, _train)(arguments)


def _train_on_hearts(arguments: argparse.Namespace) -> None:
    options = replace(_options(arguments), judge_every=max(1, arguments.steps // 8))
    place = arguments.output / "hearts" if arguments.prepared is None else arguments.prepared
    with made_folder(place):
        hearts = _simulated(arguments, place, arguments.phantoms)
        device, preset = choose_device(arguments.device), PRESETS["compact"]
        path = train_on_hearts(arguments.part, preset, hearts, options, arguments.output, device, _say)
    if os.environ.get("RANK", "0") == "0":
        print(f"Weights: {path}")


def _simulated(arguments: argparse.Namespace, place: Path, phantoms: int) -> SimulatedHearts:
    """Hearts of the shape model, where its folder is given, and phantoms, kept in the folder ``place``."""
    folder = arguments.hearts
    hearts = prepare_hearts(hearts_to_train_on(folder, arguments.heart_count, phantoms), place / "train")
    apart = prepare_hearts(held_back_hearts(folder, HELD_BACK), place / "held-out") if folder else None
    return SimulatedHearts(hearts, apart)


def _train(arguments: argparse.Namespace) -> None:
    for name in ("init", "segmenter"):
        path = getattr(arguments, name, None)
        if path is not None and not path.is_file():
            raise InputError(f"The file for --{name} does not exist; check the path.")
    job = TrainingJob(
        arguments.part,
        PRESETS[arguments.preset],
        getattr(arguments, "size", None),
        arguments.init,
        getattr(arguments, "segmenter", None),
    )
    device = choose_device(arguments.device)
    with made_folder(arguments.output / "data"):
        path = train(job, *_slices(arguments), _options(arguments), arguments.output, device, _say)
    if os.environ.get("RANK", "0") == "0":
        print(f"Weights: {path}")


def _deeprecon(arguments: argparse.Namespace) -> None:
    about, device = _about(arguments.about), choose_device(arguments.device)
    with made_folder(arguments.output / "data"):
        slices, options = _slices(arguments), _options(arguments)
        folder = train_deeprecon(DEEPRECON, slices, options, about, arguments.output, device, _say)
    if os.environ.get("RANK", "0") == "0":
        print(f"Model folder: {folder}")


def _options(arguments: argparse.Namespace) -> TrainingOptions:
    """How long and how to train."""
    return TrainingOptions(
        steps=arguments.steps,
        batch=arguments.batch,
        learning_rate=arguments.rate,
        average=arguments.average,
        seed=arguments.seed,
        checkpoint_every=arguments.checkpoint_every,
    )


def _recipe(arguments: argparse.Namespace) -> None:
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise InputError("The recipe runs in one process; with torchrun, train segmenter and generator.")
    about = _about(arguments.about)
    preset, device = PRESETS["compact"], choose_device(arguments.device)
    with made_folder(arguments.output / "data"):
        folder = run_stages(
            preset,
            *_slices(arguments),
            _simulated(arguments, arguments.output / "hearts", max(arguments.phantoms, FEWEST_PHANTOMS)),
            arguments.minutes,
            about,
            arguments.output,
            device,
            _say,
            arguments.seed,
        )
    print(f"Model folder: {folder}")


def _data(arguments: argparse.Namespace) -> None:
    with made_folder(arguments.output):
        for slices in _prepared(arguments, arguments.output):
            if slices is not None:
                print(f"{len(slices.names)} stacks, {len(slices)} slices")


def _bundle(arguments: argparse.Namespace) -> None:
    """Put trained networks into a model folder that is known to load."""
    about, preset = _about(arguments.about), PRESETS[arguments.preset]
    weights = {part: getattr(arguments, part) for part in preset.parts}
    if missing := [f"--{part}" for part, path in weights.items() if path is None]:
        raise InputError(f"The {arguments.preset} preset needs {' and '.join(missing)} as well.")
    with staged_folder(arguments.output) as folder:
        try:
            write_bundle(folder, preset, weights, about)
            Model.load(folder, "cpu", "float32")
        except (OSError, RuntimeError, SafetensorError) as error:
            raise InputError(
                f"The weights for --{' or --'.join(weights)} are missing or not those of the "
                f"{arguments.preset} preset."
            ) from error
    print(f"Model folder: {arguments.output}")


def _say(entry: dict) -> None:
    print(json.dumps(entry), flush=True)


def _about(path: Path) -> dict:
    """What a card should say."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("The file for --about is not readable JSON.") from error
    if not isinstance(about, dict) or not {"name", "licence"} <= about.keys():
        raise InputError("The file for --about must hold a JSON object with at least name and licence.")
    return about


def _slices(arguments: argparse.Namespace) -> tuple[Slices, Slices | None]:
    """The arrays to train on and those kept apart: given, or made on the first call and used again when a run
    goes on.
    """
    if arguments.prepared is not None:
        held_out = arguments.prepared / "held-out"
        return load(arguments.prepared / "train"), load(held_out) if held_out.exists() else None
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise InputError(
            "Several processes need the data prepared: run dmcvr train data first and give --prepared."
        )
    return _prepared(arguments, arguments.output / "data")


def _prepared(arguments: argparse.Namespace, folder: Path) -> tuple[Slices, Slices | None]:
    spacing = PRESETS[arguments.preset].spacing_mm
    try:
        apart = re.compile(arguments.hold_out) if arguments.hold_out else None
    except re.error as error:
        raise InputError(f"The pattern for --hold-out is no regular expression: {error}.") from error

    def made(name: str, cases: Callable[[], Iterator[LabelledStack]]) -> Slices:
        place = folder / name
        if not is_prepared(place):
            with staged_folder(place, names=(*(f"{array}.npy" for array in ARRAYS), LISTING)) as staged:
                prepare(cases(), staged, spacing)
        return load(place)

    def labelled(held_out: bool) -> Iterator[LabelledStack]:
        for source in arguments.data:
            yield from read_pairs(
                Path(source),
                arguments.label_values,
                lambda name: (apart is not None and apart.search(name) is not None) == held_out,
            )

    def training() -> Iterator[LabelledStack]:
        yield from labelled(held_out=False)
        if arguments.hearts is not None:
            yield from training_hearts(arguments.hearts, arguments.heart_count)
        yield from _phantoms(arguments.phantoms)

    data = made("train", training)
    return data, made("held-out", lambda: labelled(held_out=True)) if apart and arguments.data else None


def _phantoms(count: int) -> Iterator[LabelledStack]:
    for seed in range(count):
        config = random_config(seed)
        # Every other one at the end of systole, which a third of the beat comes near.
        frame = 0 if seed % 2 == 0 else config.n_frames // 3
        phantom = make_phantom(config, frames=[frame])
        yield f"phantom{seed:04d}", phantom.sax, phantom.sax_labels[0]
