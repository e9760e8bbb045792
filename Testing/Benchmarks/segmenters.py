"""What a segmenter learns from so many seconds of one processor core, each choice changed by itself.

    dmcvr train data --data ACDC --label-values 3,2,1 --hold-out 'patient\\d\\d[05]' --output PREPARED
    python Testing/Benchmarks/segmenters.py --prepared PREPARED --seconds 180

Every choice is trained from nothing, its learning rate falling over the seconds of processor time that it is
given, so other programs on the machine matter little. One JSON object a choice: steps of 16 views, views a
second, parameters in millions, and the mean 3D Dice of the stacks kept apart, in the heart's window, without
averaging over turned and mirrored views.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from dmcvr.model.device import placed
from dmcvr.model.networks.presets import COMPACT, MedFormerConfig, ResidualUNetConfig
from dmcvr.training.augment import SEGMENTER, Augmentation
from dmcvr.training.data import load
from dmcvr.training.losses import dice_loss, segmentation_loss
from dmcvr.training.run import resized
from dmcvr.training.segmenter import SegmenterTask
from dmcvr.training.slices import Slices
from dmcvr.training.trainer import TrainingOptions, rate, update_average
from torch import Tensor

BATCH = 16
STRONG = Augmentation(
    jitter_mm=20,
    zoom=1.25,
    gain=1.35,
    gamma=1.4,
    bias=0.3,
    noise=0.05,
    blur=1.0,
    coarse=2.0,
    rv_size=(0.6, 2.2),
    lv_size=(0.4, 1.4),
    trabeculae=0.7,
    slide=2.0,
)
"""The default before the lighter one took its place, and what all other choices are trained with."""
MEDFORMER = MedFormerConfig(
    base=16, heads=(4, 8, 16), fusion_size=192, fusion_heads=6, norm="group", patch=2, context=1
)


def cross_entropy_and_dice(logits: Tensor, labels: Tensor) -> Tensor:
    """As nnU-Net has it (Isensee et al. 2021)."""
    return F.cross_entropy(logits, labels) + dice_loss(logits, labels)


@dataclass(frozen=True)
class Choice:
    """What is trained. size: pixels along a view, None for the preset's."""

    network: MedFormerConfig | ResidualUNetConfig = COMPACT.segmenter
    size: int | None = None
    learning_rate: float = 1e-3
    augmentation: Augmentation = STRONG
    criterion: Callable[[Tensor, Tensor], Tensor] = segmentation_loss

    def task(self, data: Slices, held_out: Slices) -> SegmenterTask:
        """The task on this data."""
        preset = replace(COMPACT, segmenter=self.network)
        if self.size is not None:
            preset = resized(preset, self.size)
        return SegmenterTask(data, held_out, preset, self.augmentation, self.criterion)


UNET = COMPACT.segmenter
CHOICES = {
    "residual U-Net": Choice(),
    "MedFormer": Choice(MEDFORMER),
    "MedFormer, half as wide": Choice(replace(MEDFORMER, base=8, heads=(2, 4, 8), fusion_size=96)),
    "2 mm": Choice(size=96),
    "1.2 mm": Choice(size=160),
    "single pixels": Choice(ResidualUNetConfig((16, 32, 64, 128, 192, 256), (1, 1, 2, 2, 1, 1), patch=1)),
    "wide": Choice(ResidualUNetConfig((48, 96, 192, 256, 320), (1, 2, 2, 1, 1))),
    "no neighbours": Choice(replace(UNET, context=0)),
    "two neighbours each side": Choice(replace(UNET, context=2)),
    "no deep supervision": Choice(replace(UNET, auxiliary=False)),
    "cross-entropy + Dice": Choice(criterion=cross_entropy_and_dice),
    "light augmentation, as shipped": Choice(augmentation=SEGMENTER),
    "rate 2e-3": Choice(learning_rate=2e-3),
    "rate 5e-4": Choice(learning_rate=5e-4),
}


def main() -> None:
    """Train and score every choice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--choices", default=";".join(CHOICES), help="names with ; between them")
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data, held_out = load(arguments.prepared / "train"), load(arguments.prepared / "held-out")
    for name in arguments.choices.split(";"):
        found = learn(CHOICES[name], data, held_out, arguments.seconds, arguments.seed)
        print(json.dumps({"choice": name, **found}), flush=True)


def learn(choice: Choice, data: Slices, held_out: Slices, seconds: float, seed: int) -> dict:
    """Train for so many seconds of the processor, and score the moving average of the weights."""
    torch.manual_seed(seed)
    task = choice.task(data, held_out)
    module = placed(task.build(), torch.device("cpu"))
    average = copy.deepcopy(module).eval().requires_grad_(False)
    # A schedule over a thousand parts of the budget in place of steps.
    schedule = TrainingOptions(steps=1000, batch=BATCH, learning_rate=choice.learning_rate, warmup=50)
    optimiser = torch.optim.AdamW(module.parameters(), weight_decay=schedule.weight_decay, fused=True)
    started, steps = time.process_time(), 0
    while (spent := (time.process_time() - started) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = schedule.learning_rate * rate(int(1000 * spent), schedule)
        module.train()
        loss = task.loss(module, BATCH)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), schedule.clip)
        optimiser.step()
        steps += 1
        update_average(average, module, min(0.998, (1 + steps) / (10 + steps)))
    scores = task.scores(average)
    return {
        "steps": steps,
        "views a second": round(steps * BATCH / seconds, 1),
        "parameters, millions": round(sum(item.numel() for item in module.parameters()) / 1e6, 2),
        **{name: round(value, 3) for name, value in scores.items()},
        "mean": round(sum(scores.values()) / len(scores), 3),
    }


if __name__ == "__main__":
    main()
