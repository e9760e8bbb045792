"""How time and memory grow with the slices and the frames of a stack.

    python Testing/Benchmarks/growth.py slices --counts 9,27,54     # generated in the nine gaps
    python Testing/Benchmarks/growth.py frames --counts 1,5,25      # of a cine, 54 slices generated in each

Each count is done in a process of its own, with the shipped model, and printed as one JSON object: seconds
and processor seconds, in all and for each slice or frame, and the most memory that was held, with and without
what lies in files as well, which the system takes back when it needs to. What is held before the
reconstruction, the libraries, the model and the images, stands beside it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from dmcvr.core.stack import Stack
from dmcvr.io.inputs import Input
from dmcvr.model.inference import Model
from dmcvr.output.files import write_reconstruction
from dmcvr.output.record import make_record
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct
from dmcvr.simulation.phantom import PhantomConfig, make_phantom
from dmcvr.system.heap import share_heap

SLICES, GAP_MM, PIXEL_MM = 10, 10.0, 1.5
GENERATED = 54
LOOK_EVERY_S = 0.01


def main() -> None:
    """Measure each count, in a new process, or the one this process was started for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("slices", "frames"))
    parser.add_argument("--counts", required=True, help="of slices, multiples of 9; or of frames")
    parser.add_argument("--here", action="store_true", help="measure a single count in this process")
    arguments = parser.parse_args()
    if arguments.here:
        share_heap()  # as the command does
        print(json.dumps(measure(arguments.what, int(arguments.counts))), flush=True)
        return
    for count in arguments.counts.split(","):
        command = [sys.executable, __file__, arguments.what, "--here", "--counts", count]
        subprocess.run(command, check=True)


def measure(what: str, count: int) -> dict:
    """A reconstruction of ``count`` generated slices or frames, written to files."""
    stack = cine(count if what == "frames" else 1)
    gaps = SLICES - 1
    if what == "slices" and count % gaps:
        raise SystemExit(f"slices are generated in {gaps} gaps: give multiples of that")
    parts = (count if what == "slices" else GENERATED) // gaps + 1
    options = Options(frame="all" if what == "frames" else 0, spacing=GAP_MM / parts)
    model = Model.load()
    reconstruct(stack.select(frames=[0], slices=slice(4, 6)), model, Options(spacing=5.0, frame=0))
    with tempfile.TemporaryDirectory() as folder, Memory() as memory:
        started, cpu = time.perf_counter(), time.process_time()
        result = reconstruct(stack, model, options)
        made, cpu = time.perf_counter() - started, time.process_time() - cpu
        write_reconstruction(
            Path(folder), result, make_record(result, options, model, ("", None), Input(result.stack), {})
        )
        seconds = time.perf_counter() - started
    return {
        what: count,
        "seconds": round(made, 2),
        f"seconds_a_{what[:-1]}": round(made / count, 3),
        "cpu_seconds": round(cpu, 1),
        f"cpu_seconds_a_{what[:-1]}": round(cpu / count, 2),
        "seconds_with_writing": round(seconds, 2),
        "result_mb": round((result.volume.nbytes + result.labels.nbytes) / 2**20),
        "own_before_mb": round(memory.before["RssAnon"]),
        "own_most_mb": round(memory.most["RssAnon"]),
        "all_most_mb": round(memory.most["VmRSS"]),
    }


def cine(frames: int) -> Stack:
    """A beating phantom's slices."""
    config = PhantomConfig(pixel_mm=PIXEL_MM, slice_gap_mm=GAP_MM, n_frames=max(frames, 2))
    return make_phantom(config, frames=list(range(frames))).sax.select(slices=slice(1, 1 + SLICES))


class Memory:
    """The most memory in MB within the block, by the names of Linux's /proc."""

    def __enter__(self) -> Memory:
        self.before = self.most = self._now()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            self.most = {name: max(value, self.most[name]) for name, value in self._now().items()}

    @staticmethod
    def _now() -> dict[str, float]:
        status = Path("/proc/self/status").read_text()
        return {name: int(status.split(f"{name}:")[1].split()[0]) / 1024 for name in ("RssAnon", "VmRSS")}


if __name__ == "__main__":
    main()
