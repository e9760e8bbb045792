"""``dmcvr segment``."""

from __future__ import annotations

import argparse
import json

import numpy as np

from ...core.errors import InputError
from ...io.inputs import read_input
from ...io.nrrd import is_written_here, write_volume
from ...io.volumes import read_grid
from ...model.inference import Model
from ...output.files import stack_grid
from ...reconstruction.blank_images import complete_frames, leave_out_blank_slices
from ...reconstruction.stack_labels import segment_stack
from ...system.staging import check_apart, staged_file
from ..progress_bar import show_progress


def run(arguments: argparse.Namespace) -> None:
    """Read, segment every frame, write the labels on the input's own grid."""
    name = arguments.output.name.lower()
    if not name.endswith(".nrrd") or name.endswith(".seg.nrrd"):
        raise InputError("Labels are written as a label volume; give a file name like labels.nrrd.")
    check_apart(arguments.output, [arguments.input])
    with staged_file(arguments.output, is_own=is_written_here) as path:
        given = read_input(arguments.input)
        stack = given.stack
        grid = stack_grid(stack) if arguments.input.is_dir() else read_grid(arguments.input)
        model = Model.load(arguments.model, arguments.device, arguments.precision)
        with show_progress(arguments.json) as progress:
            shown, _, blank_slices = leave_out_blank_slices(stack, None)
            complete, blank_frames = complete_frames(shown)
            _, by_frame = segment_stack(shown, model, complete, progress)
        labels: np.ndarray = np.zeros(stack.frames.shape, np.uint8)
        kept = np.isin(stack.positions, (shown.origins - stack.origins[0]) @ stack.normal)
        for frame, found in by_frame.items():
            labels[frame, kept] = found
        if grid.step_z @ stack.normal < 0:  # a left-handed file; a Stack is sorted the other way
            labels = labels[:, ::-1]
        if len(labels) > 1:
            write_volume(path, labels, grid, stack.times, labels=True)
        else:
            write_volume(path, labels[0], grid)
    notes = [*given.notes, *blank_slices, *blank_frames]
    if arguments.json:
        print(json.dumps({"output": str(arguments.output), "warnings": notes}), flush=True)
        return
    for message in notes:
        print(f"Note: {message}")
    print(f"Labels of {labels.shape[1]} slices in {len(labels)} frames: {arguments.output}")
