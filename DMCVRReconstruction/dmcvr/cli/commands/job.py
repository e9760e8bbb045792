"""``dmcvr job``: see ``dmcvr.cli.job_file`` for what goes in and comes out."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import traceback

from ...core.errors import CancelledError, InputError, explain_fault
from ...system.privatefolder import held
from ..console import abandon
from ..job_file import OUTPUT, read_job


def run(arguments: argparse.Namespace) -> None:
    """Run the job, and tell how it ended on standard output as well as by the exit code."""
    try:
        _say({"stage": "load", "done": 0, "total": 1})
        with held(arguments.folder):
            job = read_job(arguments.folder)
            from .reconstruct import Request, fulfil  # torch, which a job that is refused does not wait for

            labels = None if job.labels is None else arguments.folder / job.labels
            image, output = arguments.folder / job.input, arguments.folder / OUTPUT
            fulfil(Request(image, output, job.options, job.model, labels, as_json=True))
    except BrokenPipeError:
        shutil.rmtree(arguments.folder, ignore_errors=True)
        abandon(sys.stdout.fileno())
        raise CancelledError from None
    except InputError as error:
        _say({"error": str(error), "kind": "input"})
        raise
    except (KeyboardInterrupt, CancelledError):
        _say({"error": "The reconstruction was cancelled.", "kind": "cancelled"})
        raise
    except Exception as error:
        unknown = f"The reconstruction failed with a fault of the program: {type(error).__name__}."
        kind, sentence = explain_fault(error) or ("fault", unknown)
        _say({"error": sentence, "kind": kind, "detail": traceback.format_exc()})
        raise


def _say(message: dict) -> None:
    print(json.dumps(message), flush=True)
