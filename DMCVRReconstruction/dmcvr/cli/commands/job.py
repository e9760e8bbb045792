"""``dmcvr job``: see ``dmcvr.cli.job_file`` for what goes in and comes out."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import traceback

from ...core.errors import CancelledError, InputError
from ...core.faults import told
from ...system.privatefolder import held
from ..job_file import read_job


def run(arguments: argparse.Namespace) -> None:
    """Run the job, and tell how it ended on standard output as well as by the exit code."""
    try:
        _say({"stage": "load", "done": 0, "total": 1})
        with held(arguments.folder):
            job = read_job(arguments.folder)
            from .. import build_parser
            from .reconstruct import run as reconstruct

            reconstruct(build_parser().parse_args(job.arguments(arguments.folder)))
    except BrokenPipeError:
        shutil.rmtree(arguments.folder, ignore_errors=True)
        # Otherwise Python, on its way out, complains that it cannot flush what nobody reads.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CancelledError from None
    except InputError as error:
        _say({"error": str(error), "kind": "input"})
        raise
    except (KeyboardInterrupt, CancelledError):
        _say({"error": "The reconstruction was cancelled.", "kind": "cancelled"})
        raise
    except Exception as error:
        unknown = f"The reconstruction failed with a fault of the program: {type(error).__name__}."
        kind, sentence = told(error) or ("fault", unknown)
        _say({"error": sentence, "kind": kind, "detail": traceback.format_exc()})
        raise


def _say(message: dict) -> None:
    print(json.dumps(message), flush=True)
