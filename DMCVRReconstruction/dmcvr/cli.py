"""The command line. Imports nothing heavy, so that --help answers at once.

Exit codes: 0 done, 1 fault, 2 bad usage or input, 130 cancelled.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from . import __version__
from .errors import CancelledError, InputError

METHODS = ("dmcvr", "diffae", "registration", "shape", "bspline", "linear", "nearest")
NOTICE = "For research use only, not for diagnosis."


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the whole usage."""

    def error(self, message: str):
        self.exit(2, f"{self.prog}: {message}\n")


def _triple(text: str) -> tuple[int, int, int]:
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"give three numbers as in 1,2,3, not {text!r}")
    values = tuple(int(part) for part in parts)
    if len({0, *values}) != 4:
        raise argparse.ArgumentTypeError("the three numbers must differ from each other and from 0")
    return values


def _frame(text: str) -> str | int:
    if text.lower() in ("ed", "es", "all"):
        return text.lower()
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"choose ed, es, all or a number from 0, not {text!r}") from None


def _count(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give a whole number from 1, not {text!r}")
    return int(text)


def _whole(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"give a whole number from 0, not {text!r}")
    return int(text)


def _some_of(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """Reads a comma-separated list of ``known`` names."""

    def read(text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
        if not set(names) <= set(known):
            raise argparse.ArgumentTypeError(f"choose among {', '.join(known)}, not {text!r}")
        return names

    return read


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="dmcvr",
        description=f"3D hearts from sparse cine MR short-axis stacks. {NOTICE}",
    )
    parser.add_argument("--version", action="version", version=f"dmcvr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    run = command("reconstruct", "Turn a short-axis stack into a 3D image volume and segmentation.")
    _add_input(run)
    run.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the results")
    _add_spacing(run)
    run.add_argument(
        "--frame", type=_frame, default="ed", help="ed, es, all or a number from 0 (default: ed)"
    )
    run.add_argument("--method", choices=METHODS, default="dmcvr", help="default: dmcvr")
    run.add_argument("--labels", type=Path, metavar="FILE", help="expert labels of the acquired slices")
    _add_label_values(run)
    run.add_argument(
        "--lax", type=Path, nargs="+", default=(), metavar="FILE", help="long-axis images for the report"
    )
    run.add_argument(
        "--rule",
        choices=("aligned", "paper"),
        default="aligned",
        help="how neighbours' latents meet: aligned first, or as the paper's eq. 6 (default: aligned)",
    )
    _add_steps(run)
    run.add_argument(
        "--regenerate",
        action="store_true",
        help="generate the acquired slices as well, instead of keeping them",
    )
    run.add_argument(
        "--label-rule",
        choices=("code", "image", "fused"),
        default="code",
        help="labels of generated slices: the interpolated shape, those the segmenter gives to the image "
        "(the paper), or the mean of both (default: code)",
    )
    run.add_argument("--seed", type=_whole, default=0, metavar="N", help="default: 0")
    _add_model(run)

    run = command("segment", "Label LVC, LVM and RVC in the acquired slices.")
    _add_input(run)
    run.add_argument("--output", type=Path, required=True, metavar="FILE.nrrd", help="file for the labels")
    _add_model(run)

    run = command(
        "job", "Run the reconstruction that a folder's job.json describes, as the Slicer module does."
    )
    run.add_argument("folder", type=Path, metavar="FOLDER", help="private folder of the job")

    run = command("phantom", "Make a heart by formula, imaged as cine MR, with its exact truth.")
    run.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the images")
    run.add_argument(
        "--seed", type=_whole, metavar="N", help="draw a random heart instead of the standard one"
    )
    run.add_argument("--frames", type=_count, metavar="N", help="frames over the heart beat (default: 12)")

    run = command("demo", "Reconstruct a phantom and say how far the result is from its truth.")
    run.add_argument("--output", type=Path, default=Path("demo"), metavar="DIR", help="default: demo")
    _add_spacing(run)
    _add_steps(run)
    _add_model(run)

    _add_evaluate(command("evaluate", "Measure the methods against the truth and fill a table."))
    _add_train(command("train", "Train the networks, or put trained weights into a model folder."))

    run = command("info", "Show versions, devices and the model's card.")
    run.add_argument("--model", type=Path, metavar="DIR", help="model folder (default: the shipped one)")
    run.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, metavar="INPUT", help="NIfTI, NRRD or MHA file, or DICOM folder")


def _add_label_values(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--label-values",
        type=_triple,
        default=(1, 2, 3),
        metavar="LVC,LVM,RVC",
        help="what stands for them in label files (ACDC: 3,2,1; default: 1,2,3)",
    )


def _add_spacing(parser: argparse.ArgumentParser) -> None:
    text = "about this far between slices (default: in-plane spacing)"
    parser.add_argument("--spacing", type=float, metavar="MM", help=text)


def _add_steps(parser: argparse.ArgumentParser) -> None:
    text = "network calls each way (default: 5 by the aligned rule, 10 by the paper's)"
    parser.add_argument("--steps", type=_count, metavar="N", help=text)


def _add_model(
    parser: argparse.ArgumentParser, as_json: str = "progress and result as JSON lines on stdout"
) -> None:
    parser.add_argument("--model", type=Path, metavar="DIR", help="model folder (default: the shipped one)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    parser.add_argument(
        "--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="default: auto"
    )
    parser.add_argument("--json", action="store_true", help=as_json)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    tables = parser.add_subparsers(dest="table", required=True, metavar="TABLE")
    for table, text, methods in (
        ("segmentation", "labels of real stacks against experts' labels", ()),
        (
            "generation",
            "acquired slices inverted, regenerated and segmented",
            ("original", "diffae", "dmcvr"),
        ),
        ("withheld", "every second slice of real stacks withheld and reconstructed", METHODS),
        ("long-axis", "phantoms reconstructed and cut by long-axis planes", METHODS),
    ):
        run = tables.add_parser(table, help=text, description=f"Measure: {text}.")
        if table == "long-axis":
            text = "how many random phantoms (default: 20)"
            run.add_argument("--phantoms", type=_count, default=20, metavar="N", help=text)
        else:
            text = "folder of NAME.nii.gz, NAME_gt.nii.gz"
            run.add_argument("--data", type=Path, required=True, metavar="DIR", help=text)
            _add_label_values(run)
            run.add_argument("--cases", default="", metavar="REGEX", help="only cases whose name matches")
        if methods:
            text = f"comma-separated, of {', '.join(methods)} (default: all)"
            run.add_argument("--methods", type=_some_of(methods), default=methods, metavar="A,B", help=text)
            _add_steps(run)
        if table in ("withheld", "long-axis"):
            text = "labels of the acquired slices from the segmenter instead of the experts"
            run.add_argument("--predicted-labels", action="store_true", help=text)
        text = "folder for the table as JSON, with all cases, and as Markdown"
        run.add_argument("--output", type=Path, metavar="DIR", help=text)
        _add_model(run, as_json="print one JSON object with all cases")


def _add_train(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    for part in ("segmenter", "generator"):
        run = parts.add_parser(part, help=f"train the {part}", description=f"Train the {part}.")
        run.add_argument(
            "--data",
            type=Path,
            nargs="*",
            default=(),
            metavar="DIR",
            help="folders of NAME.nii.gz, NAME_gt.nii.gz",
        )
        _add_label_values(run)
        run.add_argument("--hold-out", default="", metavar="REGEX", help="leave out cases whose name matches")
        run.add_argument("--phantoms", type=_whole, default=0, metavar="N", help="add N random phantoms")
        run.add_argument(
            "--output", type=Path, required=True, metavar="DIR", help="checkpoints, log and weights"
        )
        run.add_argument("--preset", choices=("compact",), default="compact", help="default: compact")
        run.add_argument(
            "--size", type=_count, metavar="N", help="pixels along a view; half is a cheap first stage"
        )
        run.add_argument("--init", type=Path, metavar="FILE", help="weights to start from")
        run.add_argument("--steps", type=_count, default=20000, metavar="N", help="default: 20000")
        run.add_argument("--batch", type=_count, default=16, metavar="N", help="default: 16")
        run.add_argument(
            "--rate", type=float, default=6e-4, metavar="X", help="learning rate (default: 6e-4)"
        )
        run.add_argument("--seed", type=_whole, default=0, metavar="N", help="default: 0")
        run.add_argument("--threads", type=_count, metavar="N", help="processor threads")
        run.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    text = "Put trained weights into a model folder."
    run = parts.add_parser("bundle", help="put trained weights into a model folder", description=text)
    run.add_argument("--segmenter", type=Path, required=True, metavar="FILE")
    run.add_argument("--generator", type=Path, required=True, metavar="FILE")
    run.add_argument(
        "--about",
        type=Path,
        required=True,
        metavar="FILE",
        help="JSON with name, licence, data, training, scores",
    )
    run.add_argument("--output", type=Path, required=True, metavar="DIR")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = build_parser().parse_args(arguments)
    # A job that is told to end stops as one interrupted by hand does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        importlib.import_module(f".commands.{options.command}", __package__).run(options)
    except InputError as error:
        print(f"dmcvr: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, CancelledError):
        print("dmcvr: cancelled.", file=sys.stderr)
        return 130
    return 0
