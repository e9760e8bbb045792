"""How long a reconstruction takes: an estimate before it starts, and the time left while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from slicer.i18n import tr as _

STAGES = ("load", "segment", "align", "invert", "generate")
# Seconds of one step of each stage, about twice those of two processor cores of today; replaced by this
# machine's own after the first run.
DEFAULT_SECONDS = {"load": 3.0, "segment": 0.1, "align": 0.2, "invert": 0.2, "generate": 0.15}


@dataclass(frozen=True)
class Plan:
    """How many steps each stage of a run has: one for loading, one for each slice, or gap between slices, and
    frame.
    """

    segment: int
    generate: int
    align: int = 0  # only the methods that generate by diffusion
    invert: int = 0  # the same
    load: int = 1

    @classmethod
    def of(cls, frames: int, chosen: int, slices: int, generated: int, method: str) -> Plan:
        """A run that segments ``frames`` of ``slices`` and makes ``generated`` ones in each ``chosen``."""
        if method in ("dmcvr", "diffae"):
            return cls(
                segment=frames * slices,
                align=chosen * (slices - 1),
                invert=chosen * slices,
                generate=chosen * generated,
            )
        return cls(segment=frames * slices, generate=chosen)

    def seconds(self, each: dict[str, float]) -> float:
        """What the run takes where a step of a stage takes ``each``."""
        return sum(getattr(self, stage) * each.get(stage, DEFAULT_SECONDS[stage]) for stage in STAGES)


class TimeLeft:
    """Learns from the progress of a run how fast its stages are, and how long the rest will take.

    The time between two messages counts for the stage of the second, so stages may alternate, as they do from
    frame to frame. Before the first step of a stage, what a step takes is that of ``each``.
    """

    def __init__(self, plan: Plan, each: dict[str, float], now: Callable[[], float] = time.monotonic):
        self._now = now
        self._totals = {stage: getattr(plan, stage) for stage in STAGES}
        self._done = dict.fromkeys(STAGES, 0)
        self._spent = dict.fromkeys(STAGES, 0.0)
        self._each = {**DEFAULT_SECONDS, **each}
        self._last = now()

    def update(self, stage: str, done: int, total: int) -> None:
        """Take in a progress message."""
        if stage not in STAGES:
            return
        now = self._now()
        loading = stage != "load" and not self._done["load"]
        # Nothing tells that loading has ended but the first step of what follows it.
        self._spent["load" if loading else stage] += now - self._last
        self._last = now
        if loading:
            self._done["load"] = self._totals["load"]
        if stage == "generate":
            self._totals["segment"] = self._done["segment"]
        self._done[stage], self._totals[stage] = done, total
        for known in STAGES:
            if self._done[known] and self._spent[known]:
                self._each[known] = self._spent[known] / self._done[known]

    def seconds(self) -> float:
        """Left until the end."""
        return sum(self._each[s] * max(0, self._totals[s] - self._done[s]) for s in STAGES)

    @property
    def each(self) -> dict[str, float]:
        """Seconds a step of every stage that was seen: what the next estimate may build on."""
        return {s: round(self._each[s], 4) for s in STAGES if self._done[s] and self._spent[s]}


def duration(seconds: float) -> str:
    """A length of time, as exactly as an estimate deserves."""
    if seconds < 90:
        return _("{count} s").format(count=max(5, 5 * round(seconds / 5)))
    return _("{count} min").format(count=round(seconds / 60))
