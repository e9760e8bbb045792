"""What becomes of a reconstruction's time where other programs want the processors.

    python Testing/Benchmarks/load.py                           # with 0, 1 and 2 busy processes beside it
    GOMP_SPINCOUNT=300000 python Testing/Benchmarks/load.py     # with waiting as GNU OpenMP has it

Each line is a whole ``dmcvr reconstruct`` of the phantom's 10 slices to 64, in a process of its own, beside
so many processes that do nothing but count. ``share`` is what of the processors is left for it if every
thread gets as much; ``over_share`` is how much longer it takes than the first line beyond that.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from commands import SPACING_MM, measured, phantom_stack
from dmcvr.io.nrrd import write_stack
from dmcvr.system.processors import available_cores


def main() -> None:
    """Measure with each number of busy processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--busy", default="0,1,2", help="numbers of busy processes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stack = Path(folder) / "stack.nrrd"
        write_stack(stack, phantom_stack())
        unhindered = None
        for busy in map(int, arguments.busy.split(",")):
            share = available_cores() / (available_cores() + busy)
            with busy_processes(busy):
                output = Path(folder) / f"beside-{busy}"
                used = measured("reconstruct", stack, "--output", output, "--spacing", SPACING_MM)
            unhindered = unhindered or used["seconds"] * share
            over = used["seconds"] * share / unhindered
            rounded = {name: round(value, 1) for name, value in used.items()}
            print(
                json.dumps({"busy": busy, "share": share, "over_share": round(over, 2), **rounded}),
                flush=True,
            )


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """So many processes that count while the block runs, as nice as this one."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
