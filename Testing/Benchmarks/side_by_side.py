"""What it gains to call the denoiser on one core each, side by side, in place of once on all of them.

    python Testing/Benchmarks/side_by_side.py

Both ways take turns in one process, with the shipped model and a batch for each call at the same time. One
JSON object: milliseconds and processor milliseconds a slice by either way, the median of the turns, and the
ratios.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from statistics import median

import dmcvr  # noqa: F401  before torch, whose threads would spin otherwise
import torch
from dmcvr.model.inference import Codes, Model
from dmcvr.model.side_by_side import calls_at_once, side_by_side

LEVEL = 1.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--calls", type=int, default=8, help="of the network, for each batch in each turn")
    arguments = parser.parse_args()
    model = Model.load(None, "cpu")
    batches = [Batch(model) for _ in range(calls_at_once())]

    def shared() -> None:
        for batch in batches:
            batch.call(arguments.calls)

    def apart() -> None:
        side_by_side(lambda batch: batch.call(arguments.calls), batches)

    ways = {"shared": shared, "side by side": apart}
    slices = len(batches) * model.batch * arguments.calls
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(arguments.turns + 1):
        for name, way in ways.items():
            if turn:  # the first warms up
                taken[name].append(measured(way, slices))
            else:
                way()
    ms, cpu = ({name: median(item[k] for item in found) for name, found in taken.items()} for k in (0, 1))
    print(
        json.dumps(
            {
                "threads": torch.get_num_threads(),
                "ms a slice": {name: round(value, 1) for name, value in ms.items()},
                "processor ms a slice": {name: round(value, 1) for name, value in cpu.items()},
                "ratio": round(ms["side by side"] / ms["shared"], 2),
                "processor ratio": round(cpu["side by side"] / cpu["shared"], 2),
            }
        )
    )


class Batch:
    """Noise for the network, with codes bound."""

    def __init__(self, model: Model):
        side = (model.size, model.size)
        self.x = torch.randn(model.batch, 1, *side)
        semantic = torch.randn(model.batch, model.preset.semantic.size)
        self.denoise = model.denoise(Codes(semantic, torch.randn(model.batch, 3, *side)))

    def call(self, times: int) -> None:
        """Denoise so many times."""
        for _ in range(times):
            self.denoise(self.x, LEVEL)


def measured(way: Callable[[], None], slices: int) -> tuple[float, float]:
    """Milliseconds and processor milliseconds a slice."""
    started, cpu = time.perf_counter(), time.process_time()
    way()
    return 1e3 * (time.perf_counter() - started) / slices, 1e3 * (time.process_time() - cpu) / slices


if __name__ == "__main__":
    main()
