"""What correcting the breath-hold shifts of slices before interpolating would give; it is not built in.

    python Testing/Benchmarks/breath_holds.py --phantoms 16
    python Testing/Benchmarks/breath_holds.py --hearts HEARTS --heart-count 12
    python Testing/Benchmarks/breath_holds.py --data ACDC --label-values 3,2,1 --cases "patient09"

A slice's shift is estimated from where the left ventricle's centre lies against a smooth curve through those
of all slices: the posterior mean of independent shifts about a curve whose second derivative is Gaussian.
STIFF is the ratio of the two standard deviations. Printed for each ratio, for no correction and, where the
truth is known, for the true shifts: what is left of the shifts (root mean square in mm about their mean, over
slices that show the heart) and the Dice of method ``shape`` on expert labels, on long-axis planes or on
withheld slices, there after the best in-plane shift of each.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from dmcvr.cli.arguments.types import triple
from dmcvr.core.labels import LVC, LVM, NAMES
from dmcvr.core.stack import Stack
from dmcvr.evaluation.cases import DataFolder
from dmcvr.evaluation.long_axis import Phantoms, heart_rows
from dmcvr.evaluation.withheld import Split, gap_name, slice_rows
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct
from dmcvr.simulation.shapemodel import HeldBackHearts

STIFF = (0.3, 0.6, 1.0, 2.0)
SMALLEST = 30
"""Pixels of a left ventricle whose centre counts."""


def main() -> None:
    """Correct, reconstruct, score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--phantoms", type=int)
    parser.add_argument("--hearts", type=Path)
    parser.add_argument("--heart-count", type=int, default=12)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--label-values", type=triple, default=(1, 2, 3))
    parser.add_argument("--cases", default="")
    arguments = parser.parse_args()
    if arguments.data:
        folder = DataFolder(arguments.data, arguments.label_values, arguments.cases)
        report(withheld(case) for case in folder)
        return
    hearts = HeldBackHearts(arguments.hearts, arguments.heart_count) if arguments.hearts else None
    report(long_axis(*item) for item in hearts or Phantoms(arguments.phantoms or 16))


def report(items: Iterable[dict[tuple[str, ...], dict[str, float]]]) -> None:
    """Print the mean of every number over all hearts or stacks, by what was corrected."""
    found: dict[tuple[str, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        for group, values in item.items():
            for name, value in values.items():
                found[group][name].append(value)
    for group, lists in sorted(found.items()):
        means = {name: round(float(np.nanmean(values)), 4) for name, values in lists.items()}
        if "shift_mm2" in means:
            means["shift_left_mm"] = round(means.pop("shift_mm2") ** 0.5, 2)
        print(json.dumps({"corrected": " ".join(group), **means}), flush=True)


def corrections(labels: np.ndarray, stack: Stack) -> dict[tuple[str, ...], np.ndarray]:
    """Shifts (S, 2) [row, column] in mm to take back, by what they are corrected by."""
    centres = left_centres(labels, stack.spacing)
    estimates = {(f"stiff {ratio:g}",): estimate(centres, stack.positions, ratio) for ratio in STIFF}
    found = {("nothing",): np.zeros_like(centres), **estimates}
    return {group: whole_pixels(shifts, stack.spacing) for group, shifts in found.items()}


def left_centres(labels: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """(S, 2) mm, the centre of the left ventricle in slices (S, H, W), nan where there is next to none."""
    masks = np.isin(labels, (LVC, LVM))
    pixel = np.array(spacing[::-1])
    return np.array([np.argwhere(m).mean(0) * pixel if m.sum() > SMALLEST else [np.nan] * 2 for m in masks])


def estimate(centres: np.ndarray, positions: np.ndarray, ratio: float) -> np.ndarray:
    """Shifts (S, 2) mm of ``centres`` (S, 2), at ``positions`` (S,), about a smooth curve, 0 if unknown."""
    shown = ~np.isnan(centres[:, 0])
    shifts, z = np.zeros_like(centres), positions[shown]
    if len(z) < 4:
        return shifts
    before, after = np.diff(z)[:-1], np.diff(z)[1:]
    bend = np.zeros((len(z) - 2, len(z)))
    rows = np.arange(len(bend))
    bend[rows, rows] = 2 / (before * (before + after))
    bend[rows, rows + 1] = -2 / (before * after)
    bend[rows, rows + 2] = 2 / (after * (before + after))
    bend *= np.diff(z).mean() ** 1.5 / ratio
    curve = np.linalg.solve(np.eye(len(z)) + bend.T @ bend, centres[shown])
    shifts[shown] = centres[shown] - curve
    return shifts


def whole_pixels(shifts: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Shifts (S, 2) mm rounded: resampling labels by parts of a pixel would cost what is to be gained."""
    pixel = np.array(spacing[::-1])
    return np.rint(shifts / pixel) * pixel


def moved_back(stack: Stack, shifts: np.ndarray) -> Stack:
    """The stack with each slice's place corrected by its shift (S, 2) mm."""
    pixels = shifts / np.array(stack.spacing[::-1])
    return replace(stack, origins=stack.origins - pixels[:, :1] * stack.step_y - pixels[:, 1:] * stack.step_x)


def long_axis(name: str, heart) -> dict[tuple[str, ...], dict[str, float]]:
    """Numbers of one heart whose truth is known."""
    stack, labels = heart.sax, heart.sax_labels[0]
    axes = np.stack([stack.step_y / stack.spacing[1], stack.step_x / stack.spacing[0]])
    true = heart.shifts @ axes.T
    shown, out = labels.any((1, 2)), {}
    best = whole_pixels(true, stack.spacing)
    for group, shifts in {("the true shifts",): best, **corrections(labels, stack)}.items():
        left = (true - shifts)[shown]
        options = Options(method="shape", frame=0)
        result = reconstruct(moved_back(stack, shifts), None, options, labels=labels[None])
        dice = {row.group[0]: row.values["average"] for row in heart_rows(name, heart, "shape", result)}
        spread = float(((left - left.mean(0)) ** 2).sum(1).mean())
        out[group] = {"shift_mm2": spread, **{name: dice[name] for name in NAMES.values()}}
    return out


def withheld(case) -> dict[tuple[str, ...], dict[str, float]]:
    """Numbers of one real stack, every second slice withheld."""
    split = Split.of(len(case.labels))
    if split is None:
        return {}
    kept, labels = case.stack.select(slices=split.kept), case.labels[split.kept]
    options, out = Options(method="shape", frame=0, spacing=float(case.stack.gaps.mean())), {}
    for group, shifts in corrections(labels, kept).items():
        # The first slice stays, since the withheld ones are compared in its pixels.
        back = moved_back(kept, shifts - shifts[0])
        result = reconstruct(back, None, options, labels=labels[None])
        rows = slice_rows(case, split, "shape", result)
        out[(gap_name(case.stack), *group)] = {
            name: float(np.nanmean([np.nan, *(row.values[f"{name} shifted"] for row in rows)]))
            for name in NAMES.values()
        }
    return out


if __name__ == "__main__":
    main()
