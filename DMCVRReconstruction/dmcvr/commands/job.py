"""``dmcvr job``: see ``dmcvr.jobs`` for what goes in and comes out."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import traceback

from ..errors import CancelledError, InputError
from ..jobs import read_job

NO_MEMORY = {
    "gpu": "The graphics card ran out of memory: choose CPU as the device, or close other programs that use "
    "the graphics card.",
    "cpu": "The computer ran out of memory: choose a larger slice spacing or a single frame, or close other "
    "programs.",
}


def run(arguments: argparse.Namespace) -> None:
    """Run the job, and tell how it ended on standard output as well as by the exit code."""
    try:
        _say({"stage": "load", "done": 0, "total": 1})
        job = read_job(arguments.folder)
        from ..cli import build_parser
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
        memory = memory_sentence(error)
        fault = f"The reconstruction failed with a fault of the program: {type(error).__name__}."
        detail = traceback.format_exc()
        _say({"error": memory or fault, "kind": "memory" if memory else "fault", "detail": detail})
        raise


def _say(message: dict) -> None:
    print(json.dumps(message), flush=True)


def memory_sentence(error: Exception) -> str | None:
    """What to do if ``error`` says that memory ran out; torch has no one type for that."""
    text = str(error).lower()
    if type(error).__name__ == "OutOfMemoryError" or "cuda out of memory" in text:
        return NO_MEMORY["gpu"]
    if isinstance(error, MemoryError) or "not enough memory" in text or "cannot allocate memory" in text:
        return NO_MEMORY["cpu"]
    return None
