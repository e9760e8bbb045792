"""How long a reconstruction takes: an estimate before it starts, and the time left while it runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import qt
from slicer.i18n import tr as _

STEP_TIMES_KEY = "DMCVR/SecondsPerStep"  # of the application's settings
STAGES = ("load", "segment", "align", "invert", "generate")
# Seconds of one step of each stage, about twice those of two processor cores of today; replaced by this
# machine's own after the first run.
DEFAULT_STEP_TIMES = {"load": 3.0, "segment": 0.06, "align": 0.2, "invert": 0.2, "generate": 0.06}


@dataclass(frozen=True)
class StepCounts:
    """How many steps each stage of a run has: one for loading, else one per frame and slice, or gap between
    slices.
    """

    segment: int
    generate: int
    align: int = 0  # only of the methods that generate by diffusion, as is ``invert``
    invert: int = 0
    load: int = 1

    @classmethod
    def of(cls, frames: int, chosen: int, slices: int, generated: int, byDiffusion: bool) -> StepCounts:
        """A run that segments ``frames`` of ``slices`` and adds ``generated`` ones to ``chosen`` of them."""
        if byDiffusion:
            return cls(
                segment=frames * slices,
                align=chosen * (slices - 1),
                invert=chosen * slices,
                generate=chosen * generated,
            )
        return cls(segment=frames * slices, generate=chosen)

    def seconds(self, each: dict[str, float]) -> float:
        """Duration of the run if a step of a stage takes ``each``."""
        return sum(getattr(self, stage) * each.get(stage, DEFAULT_STEP_TIMES[stage]) for stage in STAGES)


class TimeLeft:
    """Learns from the progress of a run how fast its stages are, and estimates the time left.

    The time between two messages counts for the stage of the second, so stages may alternate, as they do from
    frame to frame. Until the first step of a stage is done, its duration is taken from ``each``.
    """

    def __init__(self, plan: StepCounts, each: dict[str, float], now: Callable[[], float] = time.monotonic):
        self._now = now
        self._totals = {stage: getattr(plan, stage) for stage in STAGES}
        self._done = dict.fromkeys(STAGES, 0)
        self._spent = dict.fromkeys(STAGES, 0.0)
        self._each = {**DEFAULT_STEP_TIMES, **each}
        self._last = now()

    def update(self, stage: str, done: int, total: int) -> None:
        """Take in a progress message."""
        if stage not in STAGES:
            return
        now = self._now()
        loading = stage != "load" and not self._done["load"]
        # Only the first step of the next stage shows that loading has ended.
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
        """Estimated time left."""
        return sum(self._each[s] * max(0, self._totals[s] - self._done[s]) for s in STAGES)

    @property
    def each(self) -> dict[str, float]:
        """Seconds per step of every stage seen so far, for the next estimate."""
        return {s: round(self._each[s], 4) for s in STAGES if self._done[s] and self._spent[s]}


def duration(seconds: float) -> str:
    """``seconds`` in words, rounded as befits an estimate."""
    if seconds < 90:
        return _("{count} s").format(count=max(5, 5 * round(seconds / 5)))
    return _("{count} min").format(count=round(seconds / 60))


def rememberedStepTimes(device: str) -> dict[str, float]:
    """Seconds per step of each stage in the last run on ``device``, "cpu" or "cuda"; may be empty."""
    text = qt.QSettings().value(f"{STEP_TIMES_KEY}/{device}", "")
    try:
        return {str(stage): float(value) for stage, value in json.loads(text or "{}").items()}
    except (ValueError, AttributeError):  # the settings may have been edited
        return {}


def rememberStepTimes(device: str, each: dict[str, float]) -> None:
    """Keep ``each``, seconds per step of a stage on ``device``, for the next estimate."""
    qt.QSettings().setValue(f"{STEP_TIMES_KEY}/{device}", json.dumps({**rememberedStepTimes(device), **each}))
