"""The cohort on one page: how many, each subject with its picture, which stand out, what failed and why.

It is fed row by row; of most subjects it keeps a few numbers only.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ..output.templating import data_url, environment
from .histogram import Histogram, histogram
from .quality import FUNCTION_FLAGS
from .records import PICTURE
from .scatter import Axis, NamedPoint, Scatter, scatter
from .subjects import MOST_SUBJECTS, Subject, Subjects
from .table import TABLES

PAGE = "cohort.html"
REPORT = "report.html"
SHOWN = {
    "edv_ml": ("End-diastolic volume of the LV", "ml"),
    "ef_percent": ("Ejection fraction of the LV", "%"),
    "rv_edv_ml": ("End-diastolic volume of the RV", "ml"),
    "rv_ef_percent": ("Ejection fraction of the RV", "%"),
    "mass_g": ("Mass of the LV", "g"),
}
"""Distributions that are drawn."""
COLUMNS = {
    "edv_ml": "EDV, ml",
    "esv_ml": "ESV, ml",
    "ef_percent": "EF, %",
    "mass_g": "Mass, g",
    "rv_edv_ml": "RV EDV, ml",
    "rv_esv_ml": "RV ESV, ml",
    "rv_ef_percent": "RV EF, %",
}
"""Of the subjects' table."""
MOST_NAMES = 12
MOST_FAILURE_PICTURES = 3


@dataclass
class Cause:
    """Why cases failed: how many, and the first of their folders by name."""

    count: int = 0
    folders: dict[str, str] = field(default_factory=dict)

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.folders)


@dataclass(frozen=True)
class ShownCase:
    """One of a subject's cases. report, picture: addresses, "" where there is none."""

    name: str
    report: str
    picture: str


@dataclass(frozen=True)
class ShownSubject:
    """A row of the table. odd: the flags that are about the heart itself."""

    name: str
    anchor: str
    cases: list[ShownCase]
    numbers: list[str]
    odd: list[str]
    flags: list[str]


class Summary:
    """Adds up the rows of ``table``. output: the cohort's folder."""

    def __init__(self, output: Path):
        self._output = output
        self.counts: Counter[str] = Counter()
        self.causes: dict[str, Cause] = {}
        self._made: Counter[tuple[str, str, str]] = Counter()
        self._subjects = Subjects()
        self._seconds = array("d")

    def add(self, row: dict) -> None:
        """Take in one row; those of one subject come one after the other."""
        self.counts[row["status"]] += 1
        self._made[row["method"], row["version"], row["model_sha256"] or "none"] += 1
        if row["status"] != "done":
            # Sentences that differ in their numbers only are one cause.
            cause = self.causes.setdefault(re.sub(r"\d+(\.\d+)?", "N", row["cause"]), Cause())
            cause.count += 1
            if len(cause.folders) < MOST_NAMES:
                cause.folders[row["name"]] = row["folder"]
            return
        self._seconds.append(row["seconds"])
        self._subjects.add(row)

    def page(self) -> str:
        """The HTML document, after the last row. Pictures are in it, reports are linked to."""
        striking = self._subjects.finish()
        return (
            environment("dmcvr.cohort")
            .get_template("cohort.html")
            .render(
                counts=self.counts,
                subjects=self._subjects.count,
                made=sorted(self._made.items()),
                plots=self._plots(striking),
                columns=list(COLUMNS.values()),
                rows=[self._shown(number, subject) for number, subject in enumerate(striking)],
                most=MOST_SUBJECTS,
                table=TABLES[0],
                flags=self._subjects.flags.most_common(),
                histograms=self._histograms(),
                causes=sorted(self.causes.items(), key=lambda item: -item[1].count),
                failed={
                    name: self._picture(folder)
                    for cause in self.causes.values()
                    for name, folder in list(cause.folders.items())[:MOST_FAILURE_PICTURES]
                },
            )
        )

    def _plots(self, striking: list[Subject]) -> list[Scatter]:
        plots = (
            ("Volume and ejection fraction of the LV", ("edv_ml", "ef_percent"), False),
            ("Stroke volumes of both ventricles", ("sv_ml", "rv_sv_ml"), True),
        )
        axes = {
            "edv_ml": Axis("LV end-diastolic volume", "ml"),
            "ef_percent": Axis("LV ejection fraction", "%"),
            "sv_ml": Axis("LV stroke volume", "ml"),
            "rv_sv_ml": Axis("RV stroke volume", "ml"),
        }
        drawn = []
        for title, (first, second), alike in plots:
            values = self._subjects.pairs(first, second)
            if len(values):
                named = self._named(striking, first, second)
                drawn.append(scatter(title, (axes[first], axes[second]), values, named, alike=alike))
        return drawn

    def _named(self, striking: list[Subject], first: str, second: str) -> list[NamedPoint]:
        """The subjects that stand out in a plot: flagged, or unlike the others in either number."""
        points = []
        for number, subject in enumerate(striking):
            x, y = subject.numbers[first], subject.numbers[second]
            if x is None or y is None:
                continue
            flagged = bool(set(subject.flags) & FUNCTION_FLAGS)
            if flagged or any(self._subjects.is_unlike(subject, name) for name in (first, second)):
                points.append(NamedPoint(subject.name, _anchor(number), x, y))
        return points

    def _histograms(self) -> list[Histogram]:
        drawn = [
            histogram(known, title, unit)
            for name, (title, unit) in SHOWN.items()
            if len(known := self._subjects.known(name))
        ]
        if self._seconds:
            drawn.append(histogram(self._seconds, "Time per case", "s"))
        return drawn

    def _shown(self, number: int, subject: Subject) -> ShownSubject:
        cases = [
            ShownCase(name, self._link(folder, REPORT), self._picture(folder))
            for name, folder in subject.cases
        ]
        values = (subject.numbers[name] for name in COLUMNS)
        return ShownSubject(
            name=subject.name,
            anchor=_anchor(number),
            cases=cases,
            numbers=["" if value is None else f"{value:.0f}" for value in values],
            odd=[flag for flag in subject.flags if flag in FUNCTION_FLAGS],
            flags=[flag for flag in subject.flags if flag not in FUNCTION_FLAGS],
        )

    def _link(self, folder: str, name: str) -> str:
        """The address of a case's file, as seen from the page."""
        return quote(f"{folder}/{name}") if (self._output / folder / name).is_file() else ""

    def _picture(self, folder: str) -> str:
        path = self._output / folder / PICTURE
        return data_url(path.read_bytes(), "image/jpeg") if path.is_file() else ""


def _anchor(number: int) -> str:
    return f"subject-{number + 1}"
