"""Reconstruct every stack in a folder, in a Slicer without a window:

    Slicer --no-main-window --no-splash --python-script reconstruct_folder.py INPUT --output OUTPUT
        [--frame ed|es|all|N] [--spacing MM] [--method dmcvr|shape|...] [--steps N] [--device auto|cpu|cuda]

INPUT contains one file per stack (.nrrd, .seq.nrrd, .nii, .nii.gz, .mha). For each, OUTPUT gets a folder of
its name with the volume, the segmentation and a table of measurements; with the frames of a cine, also the
sequences of both. If a stack fails, its number and the reason are printed and the next one follows. Exit
codes: 0 all done, 1 a fault in at least one, 2 bad usage, or bad input in at least one, 130 interrupted. The
script never asks for anything.
"""

import argparse
import sys
from pathlib import Path

import slicer
from dmcvr.core.errors import CancelledError, InputError
from dmcvr.reconstruction.options import DEVICES, METHODS, ModelChoice, Options

from DMCVRReconstruction import DMCVRReconstructionLogic

SUFFIXES = (".seq.nrrd", ".nrrd", ".nii.gz", ".nii", ".mha")


def main(arguments: list[str]) -> int:
    """Reconstruct as the command line ``arguments`` say; returns the exit code."""
    parser = argparse.ArgumentParser(description="Reconstruct every stack in a folder.")
    parser.add_argument("input", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--frame", default=Options.frame)
    parser.add_argument("--spacing", type=float)
    parser.add_argument("--method", choices=METHODS, default=Options.method)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--device", choices=DEVICES, default=ModelChoice.device)
    given = parser.parse_args(arguments)
    frame = int(given.frame) if given.frame.isdecimal() else given.frame
    try:
        options = Options(given.method, given.spacing, frame, steps=given.steps)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    model = ModelChoice(device=given.device)
    stacks = sorted(path for path in given.input.glob("*") if path.name.lower().endswith(SUFFIXES))
    if not stacks:
        print("The input folder contains no stacks; give a folder with one file per stack.", file=sys.stderr)
        return 2
    worst = 0
    for number, path in enumerate(stacks, start=1):
        slicer.mrmlScene.Clear()
        try:
            nodes = DMCVRReconstructionLogic().reconstruct(load(path), options=options, model=model)
            save(nodes, given.output / stem(path))
        except InputError as error:
            print(f"{number} of {len(stacks)}: {error}", file=sys.stderr)
            worst = max(worst, 2)
        except (CancelledError, KeyboardInterrupt):
            return 130
        except Exception as error:
            print(f"{number} of {len(stacks)}: {error}", file=sys.stderr)
            worst = worst or 1
        else:
            print(f"{number} of {len(stacks)}: done")
    return worst


def load(path: Path):
    """Load a file and return its node; for a sequence, the sequence node."""
    try:
        if path.name.lower().endswith(".seq.nrrd"):
            return slicer.util.loadNodeFromFile(str(path), "SequenceFile")
        return slicer.util.loadVolume(str(path))
    except RuntimeError as error:
        raise InputError("The file cannot be read; it is damaged or in another format.") from error


def save(nodes, folder: Path) -> None:
    """Write the nodes of a result into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "volume.nrrd": nodes.volume,
        "segmentation.seg.nrrd": nodes.segmentation,
        "measurements.tsv": nodes.table,
    }
    if nodes.browser is not None:
        files |= {
            "volume.seq.nrrd": nodes.volumeSequence,
            "segmentation.seq.mrb": nodes.segmentationSequence,
            "volumes_over_time.tsv": nodes.curve,
        }
    for name, node in files.items():
        if not slicer.util.saveNode(node, str(folder / name)):
            raise RuntimeError(f"{name} could not be written")


def stem(path: Path) -> str:
    """The file's name without the suffix of its format."""
    suffix = next(suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix))
    return path.name[: -len(suffix)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
