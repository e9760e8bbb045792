"""``dmcvr segment``."""

from __future__ import annotations

import argparse
import json

import numpy as np

from ..model import Model
from ..nrrd import write_volume
from ..outputs import stack_grid, staged_file
from ..progress import show_progress
from ..reconstruct import segment_stack
from ..volumes import read_stack


def run(arguments: argparse.Namespace) -> None:
    """Read, segment every frame, write the labels on the input's grid."""
    with staged_file(arguments.output) as path:
        stack = read_stack(arguments.input)
        grid = stack_grid(stack)
        model = Model.load(arguments.model, arguments.device, arguments.precision)
        with show_progress(arguments.json) as progress:
            _, by_frame = segment_stack(stack, model, list(range(len(stack.frames))), progress)
        labels = np.stack(list(by_frame.values()))
        write_volume(path, labels if len(labels) > 1 else labels[0], grid, stack.times, labels=True)
    if arguments.json:
        print(json.dumps({"output": str(arguments.output)}), flush=True)
    else:
        print(f"Labels of {labels.shape[1]} slices in {len(labels)} frames: {arguments.output}")
