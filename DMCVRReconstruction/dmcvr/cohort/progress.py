"""How far a cohort is, with throughput and time left: a bar, lines in a log, or JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from types import TracebackType

from .outcome import Outcome

LOG_EVERY_S = 30.0


class CohortProgress:
    """Told of every case that has ended; shows a bar on a terminal, a line now and then in a log, and with
    ``as_json`` one JSON object a case on standard output.
    """

    def __init__(self, total: int, as_json: bool):
        from tqdm import tqdm

        self.counts: Counter[str] = Counter()
        self.unrecorded = 0
        self._total, self._as_json = total, as_json
        self._started = self._told = time.monotonic()
        terminal = sys.stderr.isatty() and not as_json
        self._bar = tqdm(total=total, unit="case", desc="Cohort", disable=not terminal, smoothing=0.05)
        self._log = not terminal and not as_json

    def __enter__(self) -> CohortProgress:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.close()

    def __call__(self, outcome: Outcome) -> None:
        self.counts[outcome.status] += 1
        self.unrecorded += not outcome.recorded
        self._bar.set_postfix({"failed": self.counts["failed"]}, refresh=False)
        self._bar.update()
        if self._as_json:
            case = {"case": outcome.name, "status": outcome.status, "seconds": round(outcome.seconds, 3)}
            if outcome.cause:
                case["cause"] = outcome.cause
            print(json.dumps({**case, **self.state()}), flush=True)
        now = time.monotonic()
        if self._log and now - self._told > LOG_EVERY_S:
            self._told = now
            print(self.line(), file=sys.stderr, flush=True)

    @property
    def ended(self) -> int:
        """How many cases have."""
        return sum(self.counts.values())

    def state(self) -> dict:
        """Counts, throughput and time left, as JSON holds them; the latter None while nothing tells them.

        Cases that are skipped take next to no time, so they say nothing about those to come.
        """
        worked = self.counts["done"] + self.counts["failed"]
        elapsed = time.monotonic() - self._started
        left = (self._total - self.ended) * elapsed / worked if worked else None
        return {
            "done": self.ended,
            "total": self._total,
            "failed": self.counts["failed"],
            "skipped": self.counts["skipped"],
            "cases_per_minute": round(60 * worked / elapsed, 2) if worked else None,
            "seconds_left": None if left is None else round(left),
        }

    def line(self) -> str:
        """The state in words."""
        state = self.state()
        text = (
            f"{state['done']} of {state['total']} cases, {state['failed']} failed, {state['skipped']} skipped"
        )
        if state["seconds_left"] is None:
            return text
        hours, rest = divmod(state["seconds_left"], 3600)
        return f"{text}, {state['cases_per_minute']:.1f} a minute, {hours} h {rest // 60:02d} min left"
