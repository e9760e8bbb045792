"""Methods side by side on one stack, in one session: what each takes, and how true its slices are.

    python Testing/Benchmarks/peers.py                          # the authors' 100 + 100 steps take minutes
    python Testing/Benchmarks/peers.py --peers dmcvr,registration,shape

The stack is a phantom's, 10 slices 10 mm apart, and the exact slices between them are known. Each peer is a
whole ``dmcvr reconstruct`` in a process of its own: 64 slices, with the segmentation and the files. Ratios
are to the first peer; they hold on a machine that is shared as well, where seconds do not. PSNR is that of
the 54 slices between, within 60 mm of the heart's middle, for intensities that the 99th percentile makes 1;
Dice that of their labels.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from commands import GAP_MM, SLICES, SPACING_MM, measured
from dmcvr.core.labels import NAMES
from dmcvr.core.stack import Stack
from dmcvr.evaluation.metrics import dice, psnr
from dmcvr.io.label_files import read_labels
from dmcvr.io.nrrd import write_stack
from dmcvr.io.volumes import read_stack
from dmcvr.simulation.phantom import PhantomConfig, make_phantom

PARTS = 7
"""Slices of the result in each gap."""
PEERS = {
    "dmcvr": (),
    "registration": ("--method", "registration"),
    "shape": ("--method", "shape"),
    "authors": ("--rule", "paper", "--steps", "100", "--precision", "float32"),
}
"""The options of each: ours, the two baselines that come nearest, and 100 + 100 calls by the paper's rule, as
many as the authors' code takes; by the multistep sampler, which costs what plain DDIM does and is truer.
"""
HEART_MM = 60.0
COLUMNS = ("seconds", "cpu_seconds", "peak_memory_mb")


def main() -> None:
    """Measure the peers and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    chosen = parser.parse_args().peers.split(",")
    dense, labels = dense_phantom()
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack.nrrd"
        write_stack(path, dense.select(slices=slice(None, None, PARTS)))
        for name in chosen:
            output = Path(folder) / name
            # Slices stay where they are, so that they lie where the truth does.
            fixed = ("--spacing", GAP_MM / PARTS, "--align", "off", "--no-extrapolation")
            rows[name] = measured("reconstruct", path, "--output", output, *map(str, fixed), *PEERS[name])
            rows[name] |= fidelity(output, dense, labels)
    print_table(rows, chosen[0])


def dense_phantom() -> tuple[Stack, np.ndarray]:
    """The standard phantom's end-diastole with PARTS slices a gap, and its exact labels (Z, H, W)."""
    config = PhantomConfig(pixel_mm=SPACING_MM, slice_gap_mm=GAP_MM / PARTS)
    phantom = make_phantom(config, frames=[0])
    count = (SLICES - 1) * PARTS + 1
    part = slice(1, 1 + count)
    return phantom.sax.select(slices=part), phantom.sax_labels[0, part]


def fidelity(output: Path, dense: Stack, labels: np.ndarray) -> dict[str, float]:
    """PSNR in dB and Dice of the slices between the acquired ones."""
    made = read_stack(output / "volume.nrrd")
    found = read_labels(output / "labels.nrrd", made)[0]
    # The heart may reach beyond the stack, at either end.
    start = round(float((dense.origins[0] - made.origins[0]) @ made.normal) / (GAP_MM / PARTS))
    between = [z for z in range(len(labels)) if z % PARTS]
    scale = np.percentile(dense.frames, 99)
    near = heart_region(labels)
    values = [
        psnr(
            np.clip(made.frames[0, start + z] / scale, 0, 1), np.clip(dense.frames[0, z] / scale, 0, 1), near
        )
        for z in between
    ]
    own, true = found[[start + z for z in between]], labels[between]
    scores = {name: dice(own == label, true == label) for label, name in NAMES.items()}
    return {"psnr_db": float(np.mean(values)), **scores}


def heart_region(labels: np.ndarray) -> np.ndarray:
    """(H, W) bool, what lies within HEART_MM of the middle of the labels (Z, H, W)."""
    middle = np.argwhere(labels > 0)[:, 1:].mean(0)
    rows, columns = np.indices(labels.shape[1:])
    return np.hypot(rows - middle[0], columns - middle[1]) * SPACING_MM < HEART_MM


def print_table(rows: dict[str, dict[str, float]], reference: str) -> None:
    """A Markdown table, ratios first."""
    first = rows[reference]
    names = [*(f"{name} / {reference}'s" for name in COLUMNS), *first]
    print(f"\n| | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    for name, row in rows.items():
        ratios = [f"{row[column] / first[column]:.2f}" for column in COLUMNS]
        print(
            f"| {name} | {' | '.join([*ratios, *(f'{value:.4g}' for value in row.values())])} |", flush=True
        )


if __name__ == "__main__":
    main()
