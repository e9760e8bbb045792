"""The options of the tables of ``dmcvr evaluate`` that are of whole hearts."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...reconstruction.options import METHODS
from .shared import add_generation, add_input, add_label_values, add_methods, add_model
from .types import count, length, some_of

LABELS = ("exact", "biased", "predicted")
SHIFTS_FROM = ("nothing", "shape", "2 LAX", "2 LAX+shape", "3 LAX", "3 LAX+shape", "truth")
DEFAULT = ("shape", "dmcvr")


def add_whole(tables: argparse._SubParsersAction) -> None:
    """Whole hearts: simulated ones against the truth, or real stacks against themselves."""
    text = "the heart in 3D: known hearts against the truth, or volumes, holes and pieces of real stacks"
    run = tables.add_parser("whole", help=text, description=f"Measure: {text}.")
    text = "how many random phantoms (default: 6)"
    run.add_argument("--phantoms", type=count, default=6, metavar="N", help=text)
    text = "hearts of the shape model in DIR instead of phantoms"
    run.add_argument("--hearts", type=Path, metavar="DIR", help=text)
    text = "how many of them, real subjects and random hearts by turns (default: 6)"
    run.add_argument("--heart-count", type=count, default=6, metavar="N", help=text)
    text = "standard deviation of the slices' breath-hold shifts, each way in their plane (default: 2)"
    run.add_argument("--slice-shift", type=length, default=2.0, metavar="MM", help=text)
    text = "the same of the long-axis images, each way in space (default: 1.5)"
    run.add_argument("--view-shift", type=length, default=1.5, metavar="MM", help=text)
    text = f"of known hearts, comma-separated, of {', '.join(LABELS)} (default: exact)"
    run.add_argument("--labels", type=some_of(LABELS), default=("exact",), metavar="A,B", help=text)
    text = f"what slices are put in register by, of {', '.join(SHIFTS_FROM)} (default: all)"
    run.add_argument(
        "--shifts-from", type=some_of(SHIFTS_FROM), default=SHIFTS_FROM, metavar="A,B", help=text
    )
    text = "real stacks instead: folder of pairs NAME.nii.gz and NAME_gt.nii.gz, or .nii, .nrrd, .mha"
    run.add_argument("--data", type=Path, metavar="DIR", help=text)
    add_label_values(run)
    run.add_argument("--cases", default="", metavar="REGEX", help="only cases whose name matches")
    text = "labels of real stacks from the segmenter instead of the experts"
    run.add_argument("--predicted-labels", action="store_true", help=text)
    _add_rest(run)


def add_cycle(tables: argparse._SubParsersAction) -> None:
    """A cine's course."""
    text = (
        "the course of a whole cine: roughness of its volume curves, constancy of the muscle, stroke volumes"
    )
    run = tables.add_parser("cycle", help=text, description=f"Measure: {text}.")
    add_input(run)
    _add_rest(run)


def add_contours(tables: argparse._SubParsersAction) -> None:
    """Contours of another tool."""
    text = "distances of long-axis contours, apex and valves from what their short-axis contours give"
    run = tables.add_parser("contours", help=text, description=f"Measure: {text}.")
    text = "contour points as biv-me writes them"
    run.add_argument("input", type=Path, metavar="FILE", help=text)
    text = "the images' planes, biv-me's SliceInfoFile"
    run.add_argument("--slices", type=Path, required=True, metavar="FILE", help=text)
    _add_rest(run)


def _add_rest(run: argparse.ArgumentParser) -> None:
    add_methods(run, METHODS, DEFAULT, ",".join(DEFAULT))
    add_generation(run)
    text = "folder for the table as JSON, with all cases, and as Markdown, and for its figures"
    run.add_argument("-o", "--output", type=Path, metavar="DIR", help=text)
    add_model(run, as_json="print one JSON object with all cases")
