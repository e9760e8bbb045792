"""The options of ``dmcvr train``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...model.networks.presets import OPTIONAL_PARTS
from .shared import add_device, add_label_values
from .types import count, positive, share, whole


def add_train(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")

    def part(name: str, text: str) -> argparse.ArgumentParser:
        return parts.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")

    run = part("data", "prepare labelled stacks for training")
    add_sources(run)
    add_preset(run)
    run.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the arrays")

    for name in ("segmenter", "generator"):
        run = part(name, f"train the {name}")
        add_sources(run)
        add_prepared(run)
        add_preset(run)
        text = "checkpoints, log, pictures and weights"
        run.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help=text)
        text = "pixels along a view; half is a cheap first stage"
        run.add_argument("--size", type=count, metavar="N", help=text)
        run.add_argument("--init", type=Path, metavar="FILE", help="weights to start from")
        if name == "generator":
            text = "trained segmenter, for the paper preset's morphology code"
            run.add_argument("--segmenter", type=Path, metavar="FILE", help=text)
        add_course(run, 20000, 16, 6e-4, 0.999, 500)
        add_machine(run)

    for name, text, steps, batch in (
        ("shifts", "train the network that finds slices' shifts from their shapes", 2000, 8),
        ("shape", "train the network that completes the heart's shape", 1500, 4),
    ):
        run = part(name, text)
        add_hearts(run, 170)
        run.set_defaults(phantoms=70)
        text = "where the simulated hearts are kept, for other runs too (default: in the output folder)"
        run.add_argument("--prepared", type=Path, metavar="DIR", help=text)
        text = "checkpoints, log, pictures and weights"
        run.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help=text)
        add_course(run, steps, batch, 2e-3, 0.995, 100)
        add_machine(run)

    run = part("deeprecon", "train the DeepRecon-style baseline, and put it into a model folder of its own")
    add_sources(run)
    add_prepared(run)
    run.set_defaults(preset="compact")
    add_about(run)
    text = "checkpoints, log, pictures, weights and the model folder"
    run.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help=text)
    add_course(run, 24000, 16, 2e-3, 0.999, 500)
    add_machine(run)

    run = part("recipe", "train all networks one after the other within a given time")
    add_sources(run)
    add_prepared(run)
    run.set_defaults(preset="compact")
    run.add_argument(
        "--minutes", type=positive, required=True, metavar="M", help="how long all may take together"
    )
    add_about(run)
    text = "checkpoints, logs, pictures and the model folder"
    run.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help=text)
    add_machine(run)

    run = part("bundle", "put trained weights into a model folder")
    run.add_argument("--segmenter", type=Path, required=True, metavar="FILE")
    run.add_argument("--generator", type=Path, required=True, metavar="FILE")
    for name in OPTIONAL_PARTS:
        text = "needed where the preset has one"
        run.add_argument(f"--{name}", type=Path, metavar="FILE", help=text)
    add_preset(run)
    add_about(run)
    run.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")


def add_sources(parser: argparse.ArgumentParser) -> None:
    text = "folders of NAME.nii.gz, NAME_gt.nii.gz"
    parser.add_argument("--data", type=Path, nargs="*", default=(), metavar="DIR", help=text)
    add_label_values(parser)
    text = "keep cases whose name matches apart, to score on"
    parser.add_argument("--hold-out", default="", metavar="REGEX", help=text)
    add_hearts(parser, 40)


def add_hearts(parser: argparse.ArgumentParser, hearts: int) -> None:
    text = "add hearts drawn from the shape model in DIR"
    parser.add_argument("--hearts", type=Path, metavar="DIR", help=text)
    text = f"how many of them (default: {hearts})"
    parser.add_argument("--heart-count", type=count, default=hearts, metavar="N", help=text)
    parser.add_argument("--phantoms", type=whole, default=0, metavar="N", help="add N random phantoms")


def add_course(
    parser: argparse.ArgumentParser, steps: int, batch: int, rate: float, average: float, checkpoints: int
) -> None:
    parser.add_argument("--steps", type=count, default=steps, metavar="N", help=f"default: {steps}")
    parser.add_argument("--batch", type=count, default=batch, metavar="N", help=f"default: {batch}")
    text = f"learning rate (default: {rate:g})"
    parser.add_argument("--rate", type=positive, default=rate, metavar="X", help=text)
    text = f"decay of the weights' moving average (default: {average:g})"
    parser.add_argument("--average", type=share, default=average, metavar="X", help=text)
    text = f"steps between checkpoints (default: {checkpoints})"
    parser.add_argument("--checkpoint-every", type=count, default=checkpoints, metavar="N", help=text)


def add_prepared(parser: argparse.ArgumentParser) -> None:
    text = "what dmcvr train data made, in place of the sources"
    parser.add_argument("--prepared", type=Path, metavar="DIR", help=text)


def add_preset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset", choices=("compact", "diffae", "paper"), default="compact", help="default: compact"
    )


def add_about(parser: argparse.ArgumentParser) -> None:
    text = "JSON with name, licence, data, scores for the model's card"
    parser.add_argument("--about", type=Path, required=True, metavar="FILE", help=text)


def add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="default: 0")
    parser.add_argument("--threads", type=count, metavar="N", help="processor threads")
    add_device(parser)
