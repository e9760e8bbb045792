"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...output.result_formats import IMAGE_SUFFIXES, MESH_FORMATS, Formats
from ...reconstruction.options import (
    ALIGNMENTS,
    ALL_METHODS,
    DEVICES,
    LABEL_RULES,
    PRECISIONS,
    RULE_CALLS,
    RULES,
    ModelChoice,
    Options,
)
from .types import count, number, positive, some_of, triple, whole

DEFAULT, DEFAULT_MODEL = Options(), ModelChoice()


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
    text = "target slice spacing (default: the in-plane spacing)"
    parser.add_argument("--spacing", type=positive, default=DEFAULT.spacing, metavar="MM", help=text)


def add_steps(parser: argparse.ArgumentParser) -> None:
    own = ", ".join(f"{there} and {back} by the rule {rule}" for rule, (there, back) in RULE_CALLS.items())
    text = f"network calls of an inversion, and as many of a generation (default: {own})"
    parser.add_argument("--steps", type=count, default=DEFAULT.steps, metavar="N", help=text)


def add_generation(parser: argparse.ArgumentParser) -> None:
    """How slices are generated and labelled."""
    parser.add_argument(
        "--rule",
        choices=RULES,
        default=DEFAULT.rule,
        help="how the latents of neighbours are combined: aligned first, or by eq. 6 of the paper (default: "
        f"{DEFAULT.rule})",
    )
    add_steps(parser)
    text = (
        "log-SNR at which the aligned rule's inversion stops; lower: sharper, less true (default: "
        f"{DEFAULT.stop_log_snr:g})"
    )
    parser.add_argument(
        "--stop", dest="stop_log_snr", type=number, default=DEFAULT.stop_log_snr, metavar="X", help=text
    )
    parser.add_argument(
        "--label-rule",
        choices=LABEL_RULES,
        default=DEFAULT.label_rule,
        help="labels of generated slices: the interpolated shape, those the segmenter gives to the image "
        f"(the paper), or the mean of both (default: {DEFAULT.label_rule})",
    )


def add_output(
    parser: argparse.ArgumentParser, text: str, metavar: str = "DIR", default: Path | None = None
) -> None:
    """--output, required where it has no default."""
    required = default is None
    parser.add_argument(
        "-o", "--output", type=Path, required=required, default=default, metavar=metavar, help=text
    )


def add_formats(parser: argparse.ArgumentParser) -> None:
    """In which formats results are written."""
    default = Formats()
    text = f"of volume, labels and uncertainty; a cine is one file (default: {default.images})"
    parser.add_argument("--format", choices=tuple(IMAGE_SUFFIXES), default=default.images, help=text)
    text = f"closed surfaces of the ventricles as well, LPS mm: {', '.join(MESH_FORMATS)} (vtp if not said)"
    parser.add_argument("--meshes", nargs="?", choices=MESH_FORMATS, const=MESH_FORMATS[0], help=text)


def add_model(
    parser: argparse.ArgumentParser,
    as_json: str = "progress and result as JSON lines on stdout",
    quiet: bool = False,
) -> None:
    parser.add_argument("--model", type=Path, metavar="DIR", help="model folder (default: the shipped one)")
    add_device(parser)
    default = DEFAULT_MODEL.precision
    parser.add_argument("--precision", choices=PRECISIONS, default=default, help=f"default: {default}")
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true", help=as_json)
    if quiet:
        add_quiet(printed)


def add_quiet(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")


def add_deeprecon(parser: argparse.ArgumentParser) -> None:
    """The model of the method deeprecon beside the one that labels, for comparisons."""
    text = "model folder of the method deeprecon, which dmcvr train deeprecon makes"
    parser.add_argument("--deeprecon-model", type=Path, metavar="DIR", help=text)
    add_optimisation(parser)


def add_optimisation(parser: argparse.ArgumentParser) -> None:
    steps = DEFAULT.optimisation_steps
    text = f"of deeprecon, for the code of each slice (default: {steps}; the paper: 1000)"
    parser.add_argument("--optimisation-steps", type=whole, default=steps, metavar="N", help=text)


def add_device(parser: argparse.ArgumentParser) -> None:
    default = DEFAULT_MODEL.device
    parser.add_argument("--device", choices=DEVICES, default=default, help=f"default: {default}")


def add_method(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--method",
        choices=ALL_METHODS,
        default=DEFAULT.method,
        help=f"default: {DEFAULT.method}; deeprecon takes a --model of its own",
    )
    add_optimisation(parser)


def add_regenerate(parser: argparse.ArgumentParser) -> None:
    text = "generate the acquired slices as well, instead of keeping them"
    parser.add_argument("--regenerate", dest="keep_acquired", action="store_false", help=text)


def add_register(parser: argparse.ArgumentParser) -> None:
    """What is done about breath-hold shifts, and about frames that do not fit each other."""
    parser.add_argument(
        "--align",
        choices=ALIGNMENTS,
        default=DEFAULT.align,
        help="put slices in register by long-axis images, by the slices' shapes, by both as far as there are "
        f"any, or not at all (default: {DEFAULT.align})",
    )
    text = "draw the heart no further beyond the stack than half a gap, for which its end slices stand"
    parser.add_argument("--no-extrapolation", dest="extrapolate", action="store_false", help=text)
    text = "label every frame of a cine for itself, instead of fitting the whole beat"
    parser.add_argument("--each-frame", dest="fit_cycle", action="store_false", help=text)


def add_uncertainty(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument(
        "--uncertainty", dest="samples", type=whole, default=DEFAULT.samples, metavar="N", help=text
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=whole, default=DEFAULT.seed, metavar="N", help=f"default: {DEFAULT.seed}"
    )


def add_methods(
    parser: argparse.ArgumentParser, known: tuple[str, ...], default: tuple[str, ...], named: str
) -> None:
    text = f"comma-separated, of {', '.join(known)} (default: {named})"
    parser.add_argument("--methods", type=some_of(known), default=default, metavar="A,B", help=text)
