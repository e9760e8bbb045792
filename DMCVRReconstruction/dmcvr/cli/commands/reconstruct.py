"""``dmcvr reconstruct``."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from ...anatomy.mesh_template import check_vtk
from ...anatomy.surfaces import without_surface
from ...api.reconstruct import reconstruct
from ...output.files import FILES, result_folder, write_reconstruction
from ...output.result_formats import Formats
from ...reconstruction.options import ModelChoice, Options
from ...system.staging import check_apart
from ..choices import chosen_model, chosen_options
from ..progress_bar import show_progress


@dataclass(frozen=True)
class Request:
    """A reconstruction from files to files.

    input: image file or DICOM folder. output: folder. labels: an expert's. label_values: see
    ``label_files.read_labels``. lax: long-axis images. formats: of the results. as_json: whether progress and
    result are JSON lines. quiet: whether nothing is printed.
    """

    input: Path
    output: Path
    options: Options
    model: ModelChoice
    labels: Path | None = None
    label_values: tuple[int, int, int] = (1, 2, 3)
    lax: tuple[Path, ...] = ()
    formats: Formats = Formats()
    as_json: bool = False
    quiet: bool = False


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
            Formats(arguments.format, arguments.meshes),
            arguments.json,
            arguments.quiet,
        )
    )


def fulfil(request: Request) -> None:
    """Read, reconstruct, write, and print what came of it."""
    if request.formats.meshes:
        check_vtk()
    drawn = [] if request.labels is None else [request.labels]
    check_apart(request.output, [request.input, *request.lax, *drawn], FILES)
    with result_folder(request.output) as folder:
        with show_progress(request.as_json, request.quiet) as progress:
            result = reconstruct(
                request.input,
                labels=request.labels,
                label_values=request.label_values,
                lax=request.lax,
                **request.options.to_json(),
                model=request.model.folder,
                device=request.model.device,
                precision=request.model.precision,
                progress=progress,
            )
        record = result.record
        write_reconstruction(folder, result.heart, record, result.lax, request.formats)
    if request.as_json:
        print(json.dumps({"output": str(request.output), "result": record.to_json()}), flush=True)
        return
    if request.quiet:
        return
    missing = without_surface(result.labels, result.grid) if request.formats.meshes else []
    notes = [
        f"There is no {name.replace('_', ' ')} in every frame, or too little of it, so no mesh of it."
        for name in missing
    ]
    for message in (*record.warnings, *notes):
        print(f"Note: {message}")
    x, y, z = record.geometry.voxels
    print(f"{x} x {y} x {z} voxels in {sum(record.seconds.values()):.0f} s: {request.output / 'report.html'}")
