"""How the denoiser's target, noise schedule and width matter, each changed by itself with the same budget.

    CASES='--data ACDC --label-values 3,2,1'; HELD='patient(08[1-9]|09|100)'
    dmcvr train data $CASES --hold-out "$HELD" --output PREPARED
    python Testing/Benchmarks/denoiser.py $CASES --cases "$HELD" --prepared PREPARED --output RUNS

Every choice is trained from nothing on views of half the resolution, then scored on stacks of half the
resolution with every second slice withheld, on expert labels, by either rule of how latents meet. One JSON
object a choice: images a second in training, PSNR in dB of slices inverted and regenerated in full, and for
each gap and rule PSNR in dB, SSIM and sharpness. The baselines' scores on the same stacks come first.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from dmcvr.cli.arguments.types import triple
from dmcvr.evaluation.cases import Case, DataFolder
from dmcvr.evaluation.methods import Comparison
from dmcvr.evaluation.summary import summarise
from dmcvr.evaluation.withheld import withheld_tables
from dmcvr.model.inference import Model
from dmcvr.model.networks.presets import COMPACT, PAPER, Preset
from dmcvr.model.networks.segmenters import build_segmenter
from dmcvr.model.weights import Networks
from dmcvr.reconstruction.options import RULES, Options
from dmcvr.training.data import load
from dmcvr.training.generator import Generator
from dmcvr.training.run import TrainingJob, fill, train
from dmcvr.training.trainer import TrainingOptions
from skimage.measure import block_reduce

HALF = COMPACT.image_size // 2
SCORES = {"PSNR dB": 2, "SSIM": 3, "sharpness": 2}


def changed(preset: Preset = COMPACT, *, prediction: str = "v", **denoiser) -> Preset:
    """``preset`` with another target, and other values of its denoiser."""
    return replace(preset, prediction=prediction, denoiser=replace(preset.denoiser, **denoiser))


# The network's time is another with the paper's schedule, and so is how it is told to the network.
LINEAR_BETA = replace(
    changed(time_scale=PAPER.denoiser.time_scale, time_period=PAPER.denoiser.time_period),
    schedule="linear-beta",
)
CHOICES = {
    "shipped": COMPACT,
    "epsilon": changed(prediction="epsilon"),
    "linear-beta": LINEAR_BETA,
    "epsilon linear-beta": changed(LINEAR_BETA, prediction="epsilon"),
    "narrow": changed(base=16),
    "wide": changed(base=48),
}


def main() -> None:
    """Score the baselines, then train and score every choice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--label-values", type=triple, default=(1, 2, 3))
    parser.add_argument("--cases", default="")
    parser.add_argument("--choices", default=",".join(CHOICES))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cases = [coarse(case) for case in DataFolder(arguments.data, arguments.label_values, arguments.cases)]
    say("baselines", scores(cases, None, Comparison(methods=("linear", "registration"))))
    data, held_out = load(arguments.prepared / "train"), load(arguments.prepared / "held-out")
    for name in arguments.choices.split(","):
        options = TrainingOptions(arguments.steps, batch=16, learning_rate=6e-4, seed=arguments.seed)
        folder = arguments.output / f"{name.replace(' ', '-')}-{arguments.steps}-{arguments.seed}"
        log: list[dict] = []
        job = TrainingJob("generator", CHOICES[name], size=HALF)
        weights = train(job, data, held_out, options, folder, torch.device("cpu"), log.append)
        told = {key: value for entry in log for key, value in entry.items() if key != "step"}
        say(name, {"training": told}, *by_rule(cases, trained(job.viewed, weights)))


def say(name: str, *found: dict) -> None:
    """Print one JSON object."""
    print(
        json.dumps({"choice": name, **{key: value for item in found for key, value in item.items()}}),
        flush=True,
    )


def coarse(case: Case) -> Case:
    """The case at half the resolution in its slices: means of 2 x 2 pixels, the commonest of their labels."""
    stack = case.stack
    height, width = (side // 2 * 2 for side in case.labels.shape[1:])
    shares = [
        block_reduce(case.labels[:, :height, :width] == value, (1, 2, 2), np.mean)
        for value in range(case.labels.max() + 1)
    ]
    return Case(
        case.name,
        replace(
            stack,
            frames=block_reduce(stack.frames[..., :height, :width], (1, 1, 2, 2), np.mean),
            origins=stack.origins + (stack.step_x + stack.step_y) / 2,
            step_x=2 * stack.step_x,
            step_y=2 * stack.step_y,
        ),
        np.argmax(shares, 0).astype(np.uint8),
    )


def trained(preset: Preset, weights: Path) -> Model:
    """A model with this generator; its segmenter is not asked anything."""
    generator = Generator(preset)
    fill(generator, weights, "Not the weights of this generator.")
    segmenter = build_segmenter(preset.segmenter)
    return Model(preset, Networks(segmenter, generator.semantic, generator.denoiser), {}, device="cpu")


def by_rule(cases: list[Case], model: Model) -> Iterator[dict]:
    """The model's scores by either rule."""
    for rule in RULES:
        comparison = Comparison(methods=("dmcvr",), options=Options(rule=rule))
        yield {rule: scores(cases, model, comparison)}


def scores(cases: list[Case], model: Model | None, comparison: Comparison) -> dict:
    """Means over the cases, by gap and method."""
    (table,) = withheld_tables(cases, model, comparison)
    return {
        ", ".join(line.group): {name: round(line.cells[name].mean, digits) for name, digits in SCORES.items()}
        for line in summarise(table)
    }


if __name__ == "__main__":
    main()
