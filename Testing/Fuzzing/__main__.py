"""Feed every reader damaged files: ``cd Testing && python -m Fuzzing --count 10000``.

Prints a line a reader: how many files were read, how many were refused in words, and how many were findings.
Exit code 1 if there was a finding. ``--readers NAME --first N --count 1`` reads one file again; with ``--keep
FOLDER`` it is written there instead.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from .harness import damaged, fuzz
from .readers import READERS


def main() -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m Fuzzing", description=__doc__.split("\n")[0])
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS), metavar="NAME")
    parser.add_argument("--count", type=int, default=10000, help="files a reader")
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write the files there instead")
    options = parser.parse_args()
    clean = True
    for name in options.readers:
        if options.keep is not None:
            options.keep.mkdir(parents=True)
            samples = READERS[name].make(options.keep)
            for number in range(options.first, options.first + options.count):
                file = damaged(samples, options.seed, number)
                (options.keep / file.name).write_bytes(file.data)
            continue
        started = time.perf_counter()
        report = fuzz(READERS[name], options.count, options.seed, options.first)
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.counts.items()))
        print(f"{name}: {counts} ({time.perf_counter() - started:.0f} s)", flush=True)
        for finding, numbers in report.findings.items():
            print(f"  {len(numbers)} x {finding} (first: {numbers[0]})", flush=True)
        clean &= report.clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
