"""``dmcvr reconstruct``."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from ...baselines import BASELINES
from ...core.stack import Stack
from ...io.volumes import read_labels, read_lax, read_stack
from ...model.inference import Model
from ...output.files import FILES, NUMBERED, RECORD, write_reconstruction
from ...output.record import input_hash, make_record
from ...reconstruction.pipeline import Options, reconstruct
from ...reconstruction.slice_generator import GenerationOptions
from ...system.staging import check_apart, staged_folder
from ..progress_bar import show_progress


def run(arguments: argparse.Namespace) -> None:
    """Read, reconstruct, write."""
    options = Options(
        method=arguments.method,
        spacing=arguments.spacing,
        frame=arguments.frame,
        generation=generation_options(arguments),
        keep_acquired=not arguments.regenerate,
        label_rule=arguments.label_rule,
        samples=arguments.uncertainty,
        seed=arguments.seed,
    )
    drawn = [] if arguments.labels is None else [arguments.labels]
    check_apart(arguments.output, [arguments.input, *arguments.lax, *drawn], FILES)
    with staged_folder(arguments.output, NUMBERED, RECORD) as folder:
        started = time.perf_counter()
        stack, lax, notes = read_input(arguments.input, arguments.lax)
        labels = read_labels(drawn[0], stack, arguments.label_values) if drawn else None
        hashes = input_hash(arguments.input), input_hash(drawn[0]) if drawn else None
        seconds = {"read": time.perf_counter() - started}
        model = None
        if labels is None or options.method not in BASELINES:
            started = time.perf_counter()
            model = Model.load(arguments.model, arguments.device, arguments.precision)
            seconds["load model"] = time.perf_counter() - started
        with show_progress(arguments.json) as progress:
            result = reconstruct(stack, model, options, progress, labels)
        seconds |= result.seconds
        record = make_record(result, options, model, hashes[0], notes, seconds, hashes[1])
        write_reconstruction(folder, result, record, lax)
    if arguments.json:
        print(json.dumps({"output": str(arguments.output), "result": record}), flush=True)
        return
    for message in record["warnings"]:
        print(f"Note: {message}")
    x, y, z = record["geometry"]["voxels"]
    print(f"{x} x {y} x {z} voxels in {sum(seconds.values()):.0f} s: {arguments.output / 'report.html'}")


def generation_options(arguments: argparse.Namespace) -> GenerationOptions:
    """How slices are to be generated."""
    return GenerationOptions(steps=arguments.steps, rule=arguments.rule, stop_log_snr=arguments.stop)


def read_input(path: Path, lax: Sequence[Path] = ()) -> tuple[Stack, tuple[Stack, ...], list[str]]:
    """The SAX stack in ``path``, long-axis images of ``lax`` or of the DICOM folder, and notes on choices."""
    given = tuple(read_lax(item) for item in lax)
    if path.is_dir():
        from ...io.dicom.study import read_study  # pydicom, which files do not need

        study = read_study(path)
        return study.sax, given or study.lax, list(study.warnings)
    return read_stack(path), given, []
