"""``dmcvr job``: see ``dmcvr.cli.job_file`` for what goes in and comes out."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import traceback
from dataclasses import replace
from pathlib import Path

from ...core.errors import CancelledError, InputError, explain_fault
from ...system.privatefolder import held
from ..console import abandon
from ..job_file import LABELS, OUTPUT, Job, read_job
from ..progress_bar import show_progress


def run(arguments: argparse.Namespace) -> None:
    """Run the job, and tell how it ended on standard output as well as by the exit code."""
    try:
        _say({"stage": "load", "done": 0, "total": 1})
        with held(arguments.folder):
            job = read_job(arguments.folder)
            _fulfil(job, arguments.folder)
    except BrokenPipeError:
        shutil.rmtree(arguments.folder, ignore_errors=True)
        abandon(sys.stdout.fileno())
        raise CancelledError from None
    except InputError as error:
        _say({"error": str(error), "kind": "input"})
        raise
    except (KeyboardInterrupt, CancelledError):
        _say({"error": "The computation was cancelled.", "kind": "cancelled"})
        raise
    except Exception as error:
        unknown = f"The computation failed with a fault of the program: {type(error).__name__}."
        kind, sentence = explain_fault(error) or ("fault", unknown)
        _say({"error": sentence, "kind": kind, "detail": traceback.format_exc()})
        raise


def _fulfil(job: Job, folder: Path) -> None:
    # Both import torch, which a job that is refused does not wait for.
    if job.task == "segment":
        _segment(job, folder)
        return
    from .reconstruct import Request, fulfil

    labels = None if job.labels is None else folder / job.labels
    lax = tuple(folder / name for name in job.lax)
    image, output = folder / job.input, folder / OUTPUT
    fulfil(Request(image, output, job.options, job.model, labels, lax=lax, as_json=True))


def _segment(job: Job, folder: Path) -> None:
    from ...io.inputs import read_input
    from ...io.nrrd import write_stack
    from ...model.inference import Model
    from ...reconstruction.stack_labels import label_slices

    given = read_input(folder / job.input)
    model = Model.load(job.model.folder, job.model.device, job.model.precision)
    with show_progress(as_json=True) as progress:
        labels, notes = label_slices(given.stack, model, job.options.frame, progress)
    output = folder / OUTPUT
    output.mkdir()
    write_stack(output / LABELS, replace(given.stack, frames=labels))
    frames = [frame for frame, drawn in enumerate(labels) if drawn.any()]
    _say({"output": str(output), "result": {"frames": frames, "warnings": [*given.notes, *notes]}})


def _say(message: dict) -> None:
    print(json.dumps(message), flush=True)
