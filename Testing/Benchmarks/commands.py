"""What the benchmarks of whole commands share: their stack, and what a command takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from dmcvr.core.stack import Stack
from dmcvr.simulation.phantom import PhantomConfig, make_phantom

SLICES, GAP_MM, SPACING_MM = 10, 10.0, 1.5


def phantom_stack() -> Stack:
    """SLICES slices of the standard phantom's end-diastole, from near the apex to near the base."""
    config = PhantomConfig(pixel_mm=SPACING_MM, slice_gap_mm=GAP_MM)
    return make_phantom(config, frames=[0]).sax.select(slices=slice(1, 1 + SLICES))


def measured(*arguments: str | Path) -> dict[str, float]:
    """What ``dmcvr`` with these ``arguments`` takes, as a process: seconds, those until the first slices are
    done, cpu_seconds (its children's as well) and peak_memory_mb.
    """
    began, first = time.perf_counter(), 0.0
    command = [sys.executable, "-m", "dmcvr", *map(str, arguments), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # as it was asked for
        for line in process.stdout:
            if not first and "stage" in json.loads(line):
                first = time.perf_counter() - began
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"dmcvr ended with exit code {process.returncode}.")
    return {
        "seconds": time.perf_counter() - began,
        "first_progress_seconds": first,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_memory_mb": used.ru_maxrss / 1024,
    }
