"""Telling how far a run is: a bar in a terminal, or one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..core.progress import no_progress

TITLES = {
    "segment": "Segmenting",
    "align": "Aligning",
    "invert": "Inverting",
    "generate": "Generating",
    "sample": "Sampling",
    "evaluate": "Evaluating",
    "figures": "Drawing",
}
UNITS = {"align": "gap", "evaluate": "case", "figures": "example"}


@contextmanager
def show_progress(as_json: bool, quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """A ``progress(stage, done, total)`` for the length of the block.

    as_json: one object {"stage", "done", "total"} a line on stdout; otherwise a bar on stderr, if that is a
        terminal.
    quiet: nothing at all.
    """
    if quiet:
        yield no_progress
        return
    if as_json:
        yield lambda stage, done, total: print(
            json.dumps({"stage": stage, "done": done, "total": total}), flush=True
        )
        return
    from tqdm import tqdm

    bars: dict[str, tqdm] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            bars[stage] = tqdm(
                total=total,
                desc=TITLES.get(stage, stage),
                unit=UNITS.get(stage, "slice"),
                disable=not sys.stderr.isatty(),
            )
        bars[stage].update(done - bars[stage].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()
