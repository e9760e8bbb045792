"""``dmcvr segment``."""

from __future__ import annotations

import argparse
import json

from ...api.segment import segment
from ...io.image_writer import write_frames
from ...output.files import label_file
from ...system.staging import check_apart
from ..progress_bar import show_progress


def run(arguments: argparse.Namespace) -> None:
    """Read, segment every frame, write the labels on the input's own grid."""
    check_apart(arguments.output, [arguments.input])
    with label_file(arguments.output) as path:
        with show_progress(arguments.json, arguments.quiet) as progress:
            found = segment(
                arguments.input,
                model=arguments.model,
                device=arguments.device,
                precision=arguments.precision,
                progress=progress,
            )
        write_frames(path, found.labels, found.grid, found.times, labels=True)
    if arguments.json:
        print(json.dumps({"output": str(arguments.output), "warnings": list(found.notes)}), flush=True)
        return
    if arguments.quiet:
        return
    for message in found.notes:
        print(f"Note: {message}")
    frames, slices = found.labels.shape[:2]
    print(f"Labels of {slices} slices in {frames} frames: {arguments.output}")
