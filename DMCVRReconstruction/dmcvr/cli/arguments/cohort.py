"""The options of ``dmcvr cohort``."""

from __future__ import annotations

import argparse
from pathlib import Path

from .shared import (
    DEFAULT,
    add_generation,
    add_label_values,
    add_method,
    add_model,
    add_regenerate,
    add_register,
    add_seed,
    add_spacing,
)
from .types import count, part, phases


def add_cohort(parser: argparse.ArgumentParser) -> None:
    text = "folder of NIfTI, NRRD or MHA files or of DICOM files, or CSV index with a column path"
    parser.add_argument("input", type=Path, metavar="INPUT", help=text)
    text = "folder for the results; cases in it that are done and still valid are skipped"
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help=text)
    parser.add_argument("--cases", default="", metavar="REGEX", help="only cases whose name matches")
    add_reconstruction(parser)
    text = "what is left of a case beside its record and a small picture (default: volumes, which is all)"
    parser.add_argument("--keep", choices=("volumes", "labels", "record"), default="volumes", help=text)
    text = "read unchanged inputs again to compare hashes, instead of trusting size and time"
    parser.add_argument("--verify", action="store_true", help=text)
    add_place(parser)
    add_model(parser, as_json="one JSON object a case and one for the whole on stdout")


def add_reconstruction(parser: argparse.ArgumentParser) -> None:
    add_spacing(parser)
    text = (
        "all, or ed, es or numbers from 0, comma-separated; of several, each is a case (default: "
        f"{DEFAULT.frame})"
    )
    parser.add_argument(
        "--frame", dest="frames", type=phases, default=(DEFAULT.frame,), metavar="A,B", help=text
    )
    add_method(parser)
    text = "take expert labels NAME_gt or NAME_labels beside a stack, or of the index, instead of segmenting"
    parser.add_argument("--expert-labels", action="store_true", help=text)
    add_label_values(parser)
    add_register(parser)
    add_generation(parser)
    add_regenerate(parser)
    add_seed(parser)


def add_place(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group()
    text = "processes on this machine (default: one a graphics card, or one a core)"
    place.add_argument("--workers", type=count, metavar="N", help=text)
    text = "run on the Dask cluster whose scheduler is at this address"
    place.add_argument("--scheduler", metavar="tcp://HOST:PORT", help=text)
    text = "run on this many SLURM jobs, as Dask's configuration of jobqueue.slurm describes them"
    place.add_argument("--slurm", type=count, metavar="JOBS", help=text)
    text = "do the I-th of N parts in this process, without Dask and table, as in a job array"
    place.add_argument("--shard", type=part, metavar="I/N", help=text)
    text = "reconstruct nothing; write the table and the page of the records there are"
    place.add_argument("--collect", action="store_true", help=text)
