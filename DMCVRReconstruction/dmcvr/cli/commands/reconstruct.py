"""``dmcvr reconstruct``."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

from ...io.inputs import read_input
from ...model.inference import Model
from ...output.files import FILES, NUMBERED, RECORD, write_reconstruction
from ...output.record import input_hash, make_record
from ...reconstruction.options import ModelChoice, Options
from ...reconstruction.pipeline import reconstruct
from ...system.staging import check_apart, staged_folder
from ..choices import chosen_model, chosen_options
from ..progress_bar import show_progress


@dataclass(frozen=True)
class Request:
    """A reconstruction from files to files.

    input: image file or DICOM folder. output: folder. labels: an expert's. label_values: see
    ``label_files.read_labels``. lax: long-axis images. as_json: whether progress and result are JSON lines.
    """

    input: Path
    output: Path
    options: Options
    model: ModelChoice
    labels: Path | None = None
    label_values: tuple[int, int, int] = (1, 2, 3)
    lax: tuple[Path, ...] = ()
    as_json: bool = False


def run(arguments: argparse.Namespace) -> None:
    """Reconstruct as the command line says."""
    fulfil(
        Request(
            arguments.input,
            arguments.output,
            chosen_options(arguments),
            chosen_model(arguments),
            arguments.labels,
            arguments.label_values,
            tuple(arguments.lax),
            arguments.json,
        )
    )


def fulfil(request: Request) -> None:
    """Read, reconstruct, write, and print what came of it."""
    options, drawn = request.options, request.labels
    check_apart(request.output, [request.input, *request.lax, *([] if drawn is None else [drawn])], FILES)
    with staged_folder(request.output, NUMBERED, RECORD, FILES) as folder:
        started = time.perf_counter()
        given = read_input(request.input, request.lax, drawn, request.label_values)
        hashes = input_hash(request.input), None if drawn is None else input_hash(drawn)
        seconds = {"read": time.perf_counter() - started}
        model = None
        if given.labels is None or options.generates:
            started = time.perf_counter()
            model = Model.load(request.model.folder, request.model.device, request.model.precision)
            seconds["load model"] = time.perf_counter() - started
        with show_progress(request.as_json) as progress:
            result = reconstruct(given.stack, model, options, progress, given.labels, given.lax)
        seconds |= result.seconds
        record = make_record(result, options, model, hashes, given, seconds)
        write_reconstruction(folder, result, record, given.lax)
    if request.as_json:
        print(json.dumps({"output": str(request.output), "result": record.to_json()}), flush=True)
        return
    for message in record.warnings:
        print(f"Note: {message}")
    x, y, z = record.geometry.voxels
    print(f"{x} x {y} x {z} voxels in {sum(seconds.values()):.0f} s: {request.output / 'report.html'}")
