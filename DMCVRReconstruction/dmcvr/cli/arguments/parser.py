"""The whole command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from ... import __version__
from .cohort import add_cohort
from .evaluate import add_evaluate
from .shared import (
    DEFAULT,
    add_formats,
    add_generation,
    add_input,
    add_label_values,
    add_method,
    add_model,
    add_output,
    add_quiet,
    add_regenerate,
    add_register,
    add_seed,
    add_spacing,
    add_steps,
    add_uncertainty,
)
from .suggestions import Parser
from .train import add_train
from .types import count, frame, whole

NOTICE = "For research use only, not for diagnosis."


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = Parser(
        prog="dmcvr",
        description=f"3D hearts from sparse cine MR short-axis stacks. {NOTICE}",
    )
    parser.add_argument("--version", action="version", version=f"dmcvr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    run = command("reconstruct", "Turn a short-axis stack into a 3D image volume and segmentation.")
    add_input(run)
    add_output(run, "folder for the results")
    add_formats(run)
    add_spacing(run)
    text = f"ed, es, both, all or a number from 0 (default: {DEFAULT.frame})"
    run.add_argument("--frame", type=frame, default=DEFAULT.frame, help=text)
    add_method(run)
    run.add_argument("--labels", type=Path, metavar="FILE", help="expert labels of the acquired slices")
    add_label_values(run)
    run.add_argument(
        "--lax",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE",
        help="long-axis images: they put slices in register, and are shown in the report",
    )
    add_register(run)
    add_generation(run)
    add_regenerate(run)
    text = "write uncertainty.nrrd: the spread of intensity over N plausible slices for each generated one"
    add_uncertainty(run, text)
    add_seed(run)
    add_model(run, quiet=True)

    run = command("segment", "Label LVC, LVM and RVC in the acquired slices.")
    add_input(run)
    add_output(run, "file for the labels, .nrrd or .nii.gz", "FILE")
    add_model(run, quiet=True)

    text = "Write a result as DICOM into the study it came from: derived MR images, and segmentations."
    run = command("export-dicom", text)
    run.add_argument("result", type=Path, metavar="RESULT", help="folder that dmcvr reconstruct has written")
    text = "the study that the result came from, whose patient and study the files will name"
    run.add_argument("--like", type=Path, required=True, metavar="DICOM_FOLDER", help=text)
    add_output(run, "folder for the DICOM files")
    add_quiet(run)

    run = command(
        "job", "Run the reconstruction that a folder's job.json describes, as the Slicer module does."
    )
    run.add_argument("folder", type=Path, metavar="FOLDER", help="private folder of the job")

    run = command("phantom", "Make a heart by formula, imaged as cine MR, with its exact truth.")
    add_output(run, "folder for the images")
    run.add_argument(
        "--seed", type=whole, metavar="N", help="draw a random heart instead of the standard one"
    )
    run.add_argument("--frames", type=count, metavar="N", help="frames over the heart beat (default: 12)")

    run = command("demo", "Reconstruct a phantom and say how far the result is from its truth.")
    add_output(run, "default: demo", default=Path("demo"))
    add_spacing(run)
    add_steps(run)
    add_model(run, quiet=True)

    add_cohort(command("cohort", "Reconstruct many stacks, on this machine or on a cluster."))
    add_evaluate(command("evaluate", "Measure the methods against the truth and fill a table."))
    add_train(command("train", "Train the networks, or put trained weights into a model folder."))

    run = command("info", "Show versions, devices and the model's card.")
    run.add_argument("--model", type=Path, metavar="DIR", help="model folder (default: the shipped one)")
    run.add_argument("--json", action="store_true", help="print JSON")
    return parser
