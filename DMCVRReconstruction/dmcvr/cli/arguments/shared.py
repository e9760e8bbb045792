"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from .types import count, some_of, triple

METHODS = ("dmcvr", "diffae", "registration", "shape", "bspline", "linear", "nearest")


def add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, metavar="INPUT", help="NIfTI, NRRD or MHA file, or DICOM folder")


def add_label_values(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--label-values",
        type=triple,
        default=(1, 2, 3),
        metavar="LVC,LVM,RVC",
        help="what stands for them in label files (ACDC: 3,2,1; default: 1,2,3)",
    )


def add_spacing(parser: argparse.ArgumentParser) -> None:
    text = "about this far between slices (default: in-plane spacing)"
    parser.add_argument("--spacing", type=float, metavar="MM", help=text)


def add_steps(parser: argparse.ArgumentParser) -> None:
    text = "network calls each way (default: 4 by the aligned rule, 10 by the paper's)"
    parser.add_argument("--steps", type=count, metavar="N", help=text)


def add_generation(parser: argparse.ArgumentParser) -> None:
    """How slices are generated and labelled."""
    parser.add_argument(
        "--rule",
        choices=("aligned", "paper"),
        default="aligned",
        help="how neighbours' latents meet: aligned first, or as the paper's eq. 6 (default: aligned)",
    )
    add_steps(parser)
    text = "log-SNR at which the aligned rule's inversion stops; lower: sharper, less true (default: 1.5)"
    parser.add_argument("--stop", type=float, default=1.5, metavar="X", help=text)
    parser.add_argument(
        "--label-rule",
        choices=("code", "image", "fused"),
        default="code",
        help="labels of generated slices: the interpolated shape, those the segmenter gives to the image "
        "(the paper), or the mean of both (default: code)",
    )


def add_model(
    parser: argparse.ArgumentParser, as_json: str = "progress and result as JSON lines on stdout"
) -> None:
    parser.add_argument("--model", type=Path, metavar="DIR", help="model folder (default: the shipped one)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    parser.add_argument(
        "--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="default: auto"
    )
    parser.add_argument("--json", action="store_true", help=as_json)


def add_methods(
    parser: argparse.ArgumentParser, known: tuple[str, ...], default: tuple[str, ...], named: str
) -> None:
    text = f"comma-separated, of {', '.join(known)} (default: {named})"
    parser.add_argument("--methods", type=some_of(known), default=default, metavar="A,B", help=text)
