"""The options of ``dmcvr evaluate``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...reconstruction.options import ALL_METHODS, METHODS
from .evaluate_whole import add_contours, add_cycle, add_whole
from .shared import (
    DEFAULT,
    add_deeprecon,
    add_generation,
    add_input,
    add_label_values,
    add_methods,
    add_model,
    add_steps,
    add_uncertainty,
)
from .types import count, frames


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    tables = parser.add_subparsers(dest="table", required=True, metavar="TABLE")
    for table, text, methods in (
        ("segmentation", "labels of real stacks against experts' labels", ()),
        (
            "generation",
            "acquired slices inverted, regenerated and segmented",
            ("original", "diffae", "dmcvr"),
        ),
        ("withheld", "every second slice of real stacks withheld and reconstructed", METHODS),
        ("clinical", "volumes, ejection fractions and mass against those of the stack", METHODS),
        ("long-axis", "known hearts reconstructed and cut by long-axis planes", METHODS),
    ):
        run = tables.add_parser(table, help=text, description=f"Measure: {text}.")
        if table == "long-axis":
            text = "how many random phantoms (default: 20)"
            run.add_argument("--phantoms", type=count, default=20, metavar="N", help=text)
            text = "hearts of the shape model in DIR instead of phantoms"
            run.add_argument("--hearts", type=Path, metavar="DIR", help=text)
            text = "how many of them, real subjects and random hearts by turns (default: 30)"
            run.add_argument("--heart-count", type=count, default=30, metavar="N", help=text)
        else:
            text = "folder of pairs NAME.nii.gz and NAME_gt.nii.gz, or .nii, .nrrd, .mha"
            run.add_argument("--data", type=Path, required=True, metavar="DIR", help=text)
            add_label_values(run)
            run.add_argument("--cases", default="", metavar="REGEX", help="only cases whose name matches")
        if table == "segmentation":
            text = "keep every N-th slice only, as of a sparser stack (default: 1, all)"
            run.add_argument("--every", type=count, default=1, metavar="N", help=text)
        if methods:
            known = ALL_METHODS if methods == METHODS else (*methods, "deeprecon")
            add_methods(run, known, methods, "all but deeprecon")
            add_deeprecon(run)
            (add_steps if table == "generation" else add_generation)(run)
        if table == "generation":
            text = (
                "model folder trained without a morphology code, to be DiffAE (default: the model's withheld)"
            )
            run.add_argument("--diffae-model", type=Path, metavar="DIR", help=text)
        if table in ("withheld", "long-axis", "clinical"):
            text = "labels of the acquired slices from the segmenter instead of the experts"
            run.add_argument("--predicted-labels", action="store_true", help=text)
        if table == "withheld":
            text = "draw N plausible slices for each and see whether their spread tells where errors are"
            add_uncertainty(run, text)
        text = "folder for the table as JSON, with all cases, and as Markdown, and for its figures"
        run.add_argument("-o", "--output", type=Path, metavar="DIR", help=text)
        add_model(run, as_json="print one JSON object with all cases")
    add_views(tables)
    add_whole(tables)
    add_cycle(tables)
    add_contours(tables)


def add_views(tables: argparse._SubParsersAction) -> None:
    text = "one examination beside its real long-axis images and contour points"
    run = tables.add_parser("views", help=text, description=f"Show: {text}.")
    add_input(run)
    run.add_argument(
        "--lax", type=Path, nargs="+", default=(), metavar="FILE", help="long-axis images, still or cine"
    )
    run.add_argument(
        "--frames",
        type=frames,
        default=(DEFAULT.frame,),
        metavar="A,B",
        help=f"comma-separated, ed, es or numbers from 0 (default: {DEFAULT.frame})",
    )
    add_methods(run, ALL_METHODS, ("nearest", "dmcvr"), "nearest,dmcvr")
    add_deeprecon(run)
    add_generation(run)
    run.add_argument("--labels", type=Path, metavar="FILE", help="expert labels of the acquired slices")
    add_label_values(run)
    run.add_argument(
        "--contours",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE",
        help="contour points as biv-me writes them, one file a frame",
    )
    text = "folder for the figures, and for the tables as JSON and Markdown"
    run.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help=text)
    add_model(run, as_json="print one JSON object")
