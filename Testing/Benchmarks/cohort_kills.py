"""A cohort whose driver is killed in mid-run, that is started again, and then loses a worker.

    python Testing/Benchmarks/cohort_kills.py INPUT --output DIR -- [options of dmcvr cohort]

INPUT: a folder of stacks; 60 or so make it worth its while. Prints what each run found and left, and whether
every case is done, once and valid, with no temporary file left; exit code 1 if not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
from dmcvr.cohort.records import RECORD, read_record


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    ours, theirs = sys.argv[1:], []
    if "--" in ours:
        ours, theirs = ours[: ours.index("--")], ours[ours.index("--") + 1 :]
    arguments = parser.parse_args(ours)
    command = [
        sys.executable,
        "-m",
        "dmcvr",
        "cohort",
        str(arguments.input),
        "--output",
        str(arguments.output),
    ]
    command += ["--json", *theirs]

    lines, total = run(command, kill_driver_after=0.3)
    show("driver killed", lines, arguments.output)
    lines, _ = run(command, kill_worker_after=0.6)
    show("started again, a worker killed", lines, arguments.output)
    again, _ = run(command)
    show("started a third time", again, arguments.output)

    names = [json.loads(path.read_text())["name"] for path in arguments.output.rglob(RECORD)]
    whole = {line["case"]: line["status"] for line in again} == dict.fromkeys(names, "skipped")
    good = len(names) == len(set(names)) == total and whole and not temporary(arguments.output)
    print(f"{len(names)}/{total} done, each once and valid: {'yes' if good else 'NO'}")
    return 0 if good else 1


def run(
    command: list[str], kill_driver_after: float = 2.0, kill_worker_after: float = 2.0
) -> tuple[list[dict], int]:
    """The lines of the cases of one run, and the number of cases. A share above 1 kills nothing."""
    lines, total, killed = [], 0, False
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        workers: list[psutil.Process] = []
        for text in driver.stdout:
            line = json.loads(text)
            if "case" not in line:
                continue
            lines.append(line)
            total, share = line["total"], line["done"] / line["total"]
            if share >= kill_driver_after:
                workers = workers_of(driver.pid)
                driver.kill()
                break
            if share >= kill_worker_after and not killed:
                workers_of(driver.pid)[0].kill()
                killed = True
        driver.wait()
        _, alive = psutil.wait_procs(workers, timeout=60)
        if alive:
            print(f"{len(alive)} workers outlived their driver")
    return lines, total


def workers_of(driver: int) -> list[psutil.Process]:
    below = psutil.Process(driver).children(recursive=True)
    return [process for process in below if "spawn_main" in " ".join(process.cmdline())]


def show(title: str, lines: list[dict], output: Path) -> None:
    told = Counter(line["status"] for line in lines)
    held = Counter(read_record(path.parent)["status"] for path in output.rglob(RECORD))
    print(
        f"{time.strftime('%H:%M:%S')} {title}: told of {dict(told)}; records {dict(held)}; temporary files "
        f"{len(temporary(output))}",
        flush=True,
    )


def temporary(output: Path) -> list[Path]:
    return list(output.rglob(".*"))


if __name__ == "__main__":
    sys.exit(main())
