"""``dmcvr phantom``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ...core.geometry import Grid
from ...core.stack import Stack, stack_grid
from ...io.nrrd import write_segmentation, write_volume
from ...simulation.phantom import Phantom, PhantomConfig, make_phantom, random_config
from ...system.staging import check_folder_name, staged_folder

PHANTOM_FILES = ("sax.nrrd", "sax_labels.nrrd", "lax_*.nrrd", "truth_ed.seg.nrrd")
"""Patterns of the names of all files that ``write_phantom`` writes."""


def run(arguments: argparse.Namespace) -> None:
    """Make a phantom and write it."""
    fixed = {} if arguments.frames is None else {"n_frames": arguments.frames}
    config = PhantomConfig(**fixed) if arguments.seed is None else random_config(arguments.seed, **fixed)
    check_folder_name(arguments.output)
    with staged_folder(arguments.output, names=PHANTOM_FILES) as folder:
        phantom = make_phantom(config)
        write_phantom(folder, phantom)
    frames, slices = phantom.sax.frames.shape[:2]
    print(f"{slices} short-axis slices in {frames} frames and three long-axis views: {arguments.output}")


def write_phantom(folder: Path, phantom: Phantom) -> None:
    """Write a phantom's images, their labels and the exact 3D labels at end-diastole into ``folder``."""
    _write_stack(folder / "sax.nrrd", phantom.sax, phantom.sax.frames, stack_grid(phantom.sax))
    _write_stack(folder / "sax_labels.nrrd", phantom.sax, phantom.sax_labels, stack_grid(phantom.sax))
    for view, stack in phantom.lax.items():
        # A single slice still needs a thickness to be a volume.
        step = stack.normal * phantom.config.lax_thickness_mm
        grid = Grid(stack.origins[0], stack.step_x, stack.step_y, step, stack.frames.shape[1:])
        _write_stack(folder / f"lax_{view}.nrrd", stack, stack.frames, grid)
        _write_stack(folder / f"lax_{view}_labels.nrrd", stack, phantom.lax_labels[view], grid)
    grid = phantom.heart_grid()
    write_segmentation(folder / "truth_ed.seg.nrrd", phantom.truth(grid, 0), grid)


def _write_stack(path: Path, stack: Stack, array: np.ndarray, grid: Grid) -> None:
    labels = array.dtype == np.uint8
    if len(array) > 1:
        write_volume(path, array, grid, stack.times, labels=labels)
    else:
        write_volume(path, array[0], grid, labels=labels)
