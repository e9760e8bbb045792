"""The cohort subject by subject, as its page shows them: those that should be looked at first."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from .function import NUMBERS
from .quality import FUNCTION_FLAGS

MOST_SUBJECTS = 400
"""In the table; the others are in the CSV file."""
FEWEST_FOR_FENCES = 8
"""Of fewer subjects none is told to be unlike the others."""
FENCE = 3.5
"""Median absolute deviations, scaled to standard deviations, beyond which a number is unlike the others
(Iglewicz and Hoaglin, 1993).
"""
TO_SD = 1.4826


@dataclass
class Subject:
    """cases: (phase or name, folder) of each finished one. numbers: of NUMBERS. flags: of all cases, each
    once.
    """

    name: str
    numbers: dict[str, float | None]
    cases: list[tuple[str, str]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    @property
    def rank(self) -> tuple[int, int]:
        """The higher, the more it should be looked at: first what is odd about the heart itself."""
        return len(set(self.flags) & FUNCTION_FLAGS), len(self.flags)


class Subjects:
    """Takes in the rows of ``table``, those of one subject one after the other, and keeps the most striking
    subjects whole, of the others their numbers only.
    """

    def __init__(self) -> None:
        self.count = 0
        self.flags: Counter[str] = Counter()
        """How many subjects have each."""
        self.values = {name: array("d") for name in NUMBERS}
        """Of every subject, nan where one is not known."""
        self._now: Subject | None = None
        self._kept: list[tuple[tuple[int, int], tuple[int, ...], Subject]] = []

    def add(self, row: dict) -> None:
        """Take in the row of a finished case."""
        if self._now is None or self._now.name != row["subject"]:
            self._put_away()
            self._now = Subject(row["subject"], {name: row[name] for name in NUMBERS})
        now = self._now
        now.cases.append((row["phase"] or row["name"], row["folder"]))
        for flag in row["flags"].split("; ") if row["flags"] else []:
            if flag not in now.flags:
                now.flags.append(flag)

    def finish(self) -> list[Subject]:
        """After the last row: the kept subjects, the most striking first, of equals by name."""
        self._put_away()
        return [item[-1] for item in sorted(self._kept, key=lambda item: item[:2], reverse=True)]

    def pairs(self, first: str, second: str) -> np.ndarray:
        """(N, 2) both numbers of all subjects of which both are known."""
        both = np.column_stack([np.asarray(self.values[name]) for name in (first, second)])
        return both[np.isfinite(both).all(1)]

    def known(self, name: str) -> np.ndarray:
        """(N,) one number of all subjects of which it is known."""
        values = np.asarray(self.values[name])
        return values[np.isfinite(values)]

    def is_unlike(self, subject: Subject, name: str) -> bool:
        """Whether a number of ``subject`` lies far from those of most others."""
        values, value = self.known(name), subject.numbers[name]
        if value is None or len(values) < FEWEST_FOR_FENCES:
            return False
        middle = np.median(values)
        spread = TO_SD * np.median(np.abs(values - middle))
        return bool(spread > 0 and abs(value - middle) > FENCE * spread)

    def _put_away(self) -> None:
        if self._now is None:
            return
        self.count += 1
        self.flags.update(self._now.flags)
        for name, values in self.values.items():
            value = self._now.numbers[name]
            values.append(float("nan") if value is None else value)
        # The name keeps equal ones apart; of equals the first names stay, whatever order they come in.
        item = self._now.rank, tuple(-ord(letter) for letter in self._now.name), self._now
        (heapq.heappush if len(self._kept) < MOST_SUBJECTS else heapq.heappushpop)(self._kept, item)
        self._now = None
