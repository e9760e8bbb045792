"""What a cohort costs beyond its reconstructions.

    python Testing/Benchmarks/cohort_scale.py overhead                    # seconds a case, beside a loop
    python Testing/Benchmarks/cohort_scale.py workers --counts 1,2        # throughput by number of workers
    python Testing/Benchmarks/cohort_scale.py memory --counts 100,10000   # of the driver, by number of cases

All make their own stacks, labelled phantoms, in a temporary folder. Run it with OMP_NUM_THREADS=1 on a
machine that does nothing else.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import psutil
from dmcvr.baselines import BASELINES
from dmcvr.cli.commands.reconstruct import read_input
from dmcvr.cohort.cases import Case
from dmcvr.cohort.clusters import Place, connected
from dmcvr.cohort.engine import run_on
from dmcvr.cohort.records import content_hashes
from dmcvr.cohort.settings import Settings
from dmcvr.cohort.work import run_case
from dmcvr.core.stack import stack_grid
from dmcvr.io.label_files import read_labels
from dmcvr.io.nrrd import write_volume
from dmcvr.model.bundle import DEFAULT_BUNDLE, model_sha256, read_card
from dmcvr.output.files import write_reconstruction
from dmcvr.output.record import make_record
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct
from dmcvr.simulation.phantom import PhantomConfig, make_phantom
from dmcvr.system.staging import staged_folder

FULL = PhantomConfig(n_frames=1)
TINY = PhantomConfig(n_frames=1, pixel_mm=5.0, matrix=(48, 52))
WARM_UP = 3  # cases a worker, which is then known to have imported everything


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("overhead", "workers", "memory"))
    parser.add_argument("--counts", default="1,2", help="of workers, or of cases")
    parser.add_argument("--cases", type=int, default=24)
    text = "overhead, workers: stacks of few pixels, for a machine that is busy"
    parser.add_argument("--tiny", action="store_true", help=text)
    text = "overhead: in one process only"
    parser.add_argument("--no-dask", action="store_true", help=text)
    parser.add_argument("--method", default="registration", choices=BASELINES)
    arguments = parser.parse_args()
    counts = [int(text) for text in arguments.counts.split(",")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.what == "memory":
            for count in counts:
                case = write_stack(folder, TINY)
                print(json.dumps(driver_memory(case, count)), flush=True)
            return
        case = write_stack(folder, TINY if arguments.tiny else FULL)
        settings = Settings(
            folder / "out",
            Options(method=arguments.method),
            model_sha256=model_sha256(read_card(DEFAULT_BUNDLE)),
        )
        if arguments.what == "overhead":
            print(json.dumps(overhead(case, settings, arguments.cases, not arguments.no_dask)))
            return
        rates = {}
        for count in counts:
            place = replace(settings, output=folder / f"out{count}")
            rates[count] = 1 / seconds_a_case(case, place, arguments.cases, count)
            first = counts[0]
            efficiency = rates[count] / rates[first] * first / count
            told = {"workers": count, "cases_per_minute": round(60 * rates[count], 2)}
            print(json.dumps({**told, "efficiency": round(efficiency, 3)}), flush=True)


def write_stack(folder: Path, config: PhantomConfig) -> Case:
    """A labelled phantom at end-diastole, as a case."""
    phantom = make_phantom(config, frames=[0])
    grid = stack_grid(phantom.sax)
    write_volume(folder / "sax.nrrd", phantom.sax.frames[0], grid)
    write_volume(folder / "sax_gt.nrrd", phantom.sax_labels[0], grid, labels=True)
    return Case("sax", "sax", folder / "sax.nrrd", frame="ed", labels=folder / "sax_gt.nrrd")


def copies(case: Case, count: int, prefix: str) -> Iterator[Case]:
    for number in range(count):
        name = f"{prefix}{number:06d}"
        yield replace(case, name=name, subject=name)


def seconds_a_case(case: Case, settings: Settings, count: int, workers: int) -> float:
    """Wall seconds over number of cases, on workers that have done some before."""
    ended = []
    with connected(Place(workers=workers, use_gpus=False)) as client:
        run_on(client, copies(case, WARM_UP * workers, "warm"), settings, ended.append)
        started = time.perf_counter()
        run_on(client, copies(case, count, "case"), settings, ended.append)
        seconds = time.perf_counter() - started
    if any(outcome.status != "done" for outcome in ended):
        raise RuntimeError(f"a case failed: {ended}")
    return seconds / count


def overhead(case: Case, settings: Settings, count: int, with_dask: bool) -> dict:
    """A case of a cohort beside the same reading, reconstructing and writing in a plain loop.

    In one process, by turns, and counted in processor time, which other work on the machine hardly changes;
    and on one worker of Dask, in wall time.
    """
    plain, cohort = [], []
    for number, part in enumerate(copies(case, count + WARM_UP, "here")):
        plain.append(processor_time_of(reconstruct_plainly, case, settings, number))
        cohort.append(processor_time_of(run_case, part, settings))
    told = {
        "cases": count,
        "processor_plain_ms": round(1000 * median(plain[WARM_UP:]), 1),
        "processor_cohort_ms": round(1000 * median(cohort[WARM_UP:]), 1),
        "processor_overhead_ms": round(1000 * (median(cohort[WARM_UP:]) - median(plain[WARM_UP:])), 1),
    }
    if with_dask:
        started = time.perf_counter()
        for number in range(count):
            reconstruct_plainly(case, settings, count + WARM_UP + number)
        loop = (time.perf_counter() - started) / count
        dask = seconds_a_case(case, settings, count, workers=1)
        told |= {"wall_plain_ms": round(1000 * loop, 1), "wall_dask_ms": round(1000 * dask, 1)}
        told["wall_overhead_ms"] = round(1000 * (dask - loop), 1)
    return told


def processor_time_of(function: Callable, *arguments: object) -> float:
    started = time.process_time()
    function(*arguments)
    return time.process_time() - started


def reconstruct_plainly(case: Case, settings: Settings, number: int) -> None:
    """What ``dmcvr reconstruct`` does for a case."""
    with staged_folder(settings.output / f"plain{number}") as folder:
        given = read_input(case.path)
        labels = read_labels(case.labels, given.stack)
        options = settings.options_of(case)
        result = reconstruct(given.stack, None, options, labels=labels)
        record = make_record(result, options, None, content_hashes(case), given, result.seconds)
        write_reconstruction(folder, result, record, given.lax)


def driver_memory(case: Case, count: int) -> dict:
    """Resident memory in MB and processor time of the driver, ``dmcvr cohort`` over ``count`` cases."""
    folder = case.path.parent / f"memory{count}"
    folder.mkdir()
    index = folder / "index.csv"
    with index.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "name", "labels"))
        writer.writerows((case.path, f"case{number:06d}", case.labels) for number in range(count))
    command = [sys.executable, "-m", "dmcvr", "cohort", str(index), "--output", str(folder / "out")]
    command += [
        "--method",
        "nearest",
        "--spacing",
        "10",
        "--expert-labels",
        "--keep",
        "record",
        "--workers",
        "1",
    ]
    memory, lines, used = [], [], []
    started = time.perf_counter()
    with subprocess.Popen(
        [*command, "--json", "--device", "cpu"], stdout=subprocess.PIPE, text=True
    ) as driver:
        process = psutil.Process(driver.pid)
        for text in driver.stdout:
            if '"case"' in text:
                lines.append(json.loads(text)["status"])
                memory.append(process.memory_info().rss / 2**20)
                used.append(sum(process.cpu_times()[:2]))
    tenth = max(1, len(memory) // 10)
    return {
        "cases": count,
        **Counter(lines),
        "first_tenth_mb": round(median(memory[:tenth]), 1),
        "last_tenth_mb": round(median(memory[-tenth:]), 1),
        "most_mb": round(max(memory), 1),
        "processor_ms_a_case": round(1000 * (used[-1] - used[0]) / (count - 1), 2),
        "seconds": round(time.perf_counter() - started, 1),
    }


if __name__ == "__main__":
    main()
