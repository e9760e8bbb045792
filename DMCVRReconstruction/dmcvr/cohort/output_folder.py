"""The folder of a cohort's results: that it is one, and not a folder of other files of these names."""

from __future__ import annotations

from pathlib import Path

from ..system.ownership import check_replaceable, claim, listed
from .records import CASES, RECORD
from .summary import PAGE
from .table import TABLES

NAMES = (*TABLES, PAGE, CASES)


def check_output(output: Path) -> None:
    """Raise InputError where files that a cohort would write lie in ``output`` and no cohort wrote them."""
    earlier = any(True for _ in output.glob(f"{CASES}/??/*/{RECORD}"))
    check_replaceable(output, NAMES, lambda path: earlier or listed(path))


def claim_output(output: Path) -> None:
    """Make ``output`` and take it for a cohort's results, so that a run that was killed can go on in it."""
    output.mkdir(parents=True, exist_ok=True)
    claim(output, NAMES)
