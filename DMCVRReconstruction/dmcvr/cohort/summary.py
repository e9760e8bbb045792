"""The cohort on one page: how many, how their numbers are distributed, what failed and why, and the worst.

It is fed row by row and keeps of each a few numbers only.
"""

from __future__ import annotations

import base64
import heapq
import re
from array import array
from collections import Counter
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from ..output.page_style import STYLE
from .histogram import histogram
from .records import PICTURE

PAGE = "cohort.html"
SHOWN = {
    "edv_ml": ("End-diastolic volume of the LV", "ml"),
    "esv_ml": ("End-systolic volume of the LV", "ml"),
    "ef_percent": ("Ejection fraction of the LV", "%"),
    "mass_g": ("Mass of the LV", "g"),
}
MOST_NAMES = 12
MOST_PICTURES = 24
MORE_STYLE = """
.worst { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1rem; }
.bars { display: grid; grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); gap: 1rem; }
.bars svg { width: 100%; height: auto; } .bars text { fill: var(--soft); font-size: 12px; }
.bars rect { fill: var(--accent); } .bars .grid { stroke: var(--line); }
"""


@dataclass
class Cause:
    """Why cases failed: how many, and the first of their folders by name."""

    count: int = 0
    folders: dict[str, str] = field(default_factory=dict)


class Summary:
    """Adds up the rows of ``table``. output: the cohort's folder."""

    def __init__(self, output: Path):
        self._output = output
        self.counts: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        self.causes: dict[str, Cause] = {}
        self._made: Counter[tuple[str, str, str]] = Counter()
        self._values = {name: array("d") for name in (*SHOWN, "seconds")}
        self._subject: str | None = None
        self._worst: list[tuple[int, tuple[int, ...], dict]] = []

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
        self._values["seconds"].append(row["seconds"])
        if row["subject"] != self._subject:
            self._subject = row["subject"]
            self.counts["subjects"] += 1
            for name in SHOWN:
                if row[name] is not None:
                    self._values[name].append(row[name])
        flags = row["flags"].split("; ") if row["flags"] else []
        self.flags.update(flags)
        if flags:
            # The name keeps equal ones apart; of equals the first names stay, whatever order they come in.
            item = (len(flags), _backwards(row["name"]), row)
            (heapq.heappush if len(self._worst) < MOST_PICTURES else heapq.heappushpop)(self._worst, item)

    def page(self) -> str:
        """The HTML document."""
        parts = [
            "<header><h1>Cohort: short-axis cine MR in 3D</h1>",
            '<div class="notice" role="note"><strong>For research use only.</strong> Not a medical device; '
            "not for diagnosis or treatment decisions.</div></header>",
            self._counted(),
            self._distributions(),
            self._failures(),
            self._flagged(),
        ]
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>Cohort: summary</title><style>{STYLE}{MORE_STYLE}</style></head>"
            f"<body>{''.join(parts)}</body></html>\n"
        )

    def _counted(self) -> str:
        made = [
            f"{escape(method)}, dmcvr {escape(version)}, model {escape(model[:12])}: {count}"
            for (method, version, model), count in sorted(self._made.items())
        ]
        lines = {
            "Cases": f"{self.counts['done']} done, {self.counts['failed']} failed",
            "Subjects with a result": str(self.counts["subjects"]),
            "Made with": "<br>".join(made),
        }
        warning = ""
        if len(self._made) > 1:
            warning = (
                '<div class="warnings" role="alert">These cases were made in more than one way; compare '
                "their numbers with care.</div>"
            )
        rows = "".join(
            f'<tr><th scope="row">{title}</th><td>{text}</td></tr>' for title, text in lines.items()
        )
        return f"<section><table><tbody>{rows}</tbody></table>{warning}</section>"

    def _distributions(self) -> str:
        drawn = [
            histogram(self._values[name], title, unit)
            for name, (title, unit) in SHOWN.items()
            if len(self._values[name])
        ]
        if len(self._values["seconds"]):
            drawn.append(histogram(self._values["seconds"], "Time a case", "s"))
        note = '<p class="soft">Volumes, ejection fraction and mass count each subject once.</p>'
        return f'<section><h2>Distributions</h2>{note}<div class="bars">{"".join(drawn)}</div></section>'

    def _failures(self) -> str:
        if not self.causes:
            return "<section><h2>Failures</h2><p>None.</p></section>"
        parts = []
        for text, cause in sorted(self.causes.items(), key=lambda item: -item[1].count):
            more = cause.count - len(cause.folders)
            names = ", ".join(map(escape, cause.folders)) + (f" and {more} more" if more else "")
            parts.append(f"<h3>{cause.count}: {escape(text)}</h3><p class='soft'>{names}</p>")
            figures = [self._figure(name, folder, "") for name, folder in list(cause.folders.items())[:3]]
            parts.append(f'<div class="worst">{"".join(figures)}</div>')
        return f"<section><h2>Failures by cause</h2>{''.join(parts)}</section>"

    def _flagged(self) -> str:
        if not self.flags:
            return "<section><h2>To be looked at</h2><p>No result was flagged.</p></section>"
        rows = "".join(
            f'<tr><th scope="row">{escape(flag)}</th><td class="number">{count}</td></tr>'
            for flag, count in self.flags.most_common()
        )
        worst = [row for _, _, row in sorted(self._worst, key=lambda item: item[:2], reverse=True)]
        figures = "".join(self._figure(row["name"], row["folder"], row["flags"]) for row in worst)
        return (
            f"<section><h2>To be looked at</h2><table><tbody>{rows}</tbody></table>"
            '<p class="soft">Those with most flags: acquired slices from one end of the heart to the other, '
            f'with the outlines that were used.</p><div class="worst">{figures}</div></section>'
        )

    def _figure(self, name: str, folder: str, text: str) -> str:
        """The picture of a case, where one could be made."""
        path = self._output / folder / PICTURE
        if not path.is_file():
            return ""
        source = "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode()
        caption = escape(f"{name}: {text}" if text else name)
        return f'<figure><img src="{source}" alt="{escape(name)}"><figcaption>{caption}</figcaption></figure>'


def _backwards(name: str) -> tuple[int, ...]:
    """A key that sorts names from last to first."""
    return tuple(-ord(letter) for letter in name)
