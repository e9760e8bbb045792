"""``dmcvr reconstruct``."""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path

from ..dicom import read_study
from ..generation import GenerationOptions
from ..model import Model
from ..outputs import staged_folder, write_reconstruction
from ..progress import show_progress
from ..reconstruct import Options, reconstruct
from ..record import input_hash, make_record
from ..stack import Stack
from ..volumes import read_labels, read_lax, read_stack


def run(arguments: argparse.Namespace) -> None:
    """Read, reconstruct, write."""
    options = Options(
        method=arguments.method,
        spacing=arguments.spacing,
        frame=arguments.frame,
        generation=GenerationOptions(steps=arguments.steps, rule=arguments.rule),
        keep_acquired=not arguments.regenerate,
        seed=arguments.seed,
    )
    with staged_folder(arguments.output) as folder:
        started = time.perf_counter()
        stack, lax, notes = read_input(arguments.input, arguments.lax)
        labels = None
        if arguments.labels is not None:
            labels = read_labels(arguments.labels, stack, arguments.label_values)
        read = time.perf_counter()
        model = Model.load(arguments.model, arguments.device, arguments.precision)
        loaded = time.perf_counter()
        with show_progress(arguments.json) as progress:
            result = reconstruct(stack, model, options, progress, labels)
        seconds = {"read": read - started, "load model": loaded - read, **result.seconds}
        record = make_record(result, options, model, input_hash(arguments.input), notes, seconds)
        write_reconstruction(folder, result, record, lax)
    if arguments.json:
        print(json.dumps({"output": str(arguments.output), "result": record}), flush=True)
        return
    for message in record["warnings"]:
        print(f"Note: {message}")
    x, y, z = record["geometry"]["voxels"]
    print(f"{x} x {y} x {z} voxels in {sum(seconds.values()):.0f} s: {arguments.output / 'report.html'}")


def read_input(path: Path, lax: list[Path]) -> tuple[Stack, tuple[Stack, ...], list[str]]:
    """The SAX stack in ``path``, long-axis images from the files ``lax`` or the DICOM folder, and notes on
    choices made.
    """
    given = tuple(read_lax(item) for item in lax)
    if path.is_dir():
        study = read_study(path)
        return study.sax, given or study.lax, list(study.warnings)
    with warnings.catch_warnings(record=True) as caught:
        stack = read_stack(path)
    return stack, given, [str(item.message) for item in caught]
