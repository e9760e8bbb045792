"""What processes that were killed have left behind."""

from __future__ import annotations

from pathlib import Path

from ..system.privatefolder import living
from ..system.staging import HIDDEN
from .records import CASES


def remove_leftovers(output: Path) -> None:
    """Remove the hidden folders in a cohort's ``output`` that no process works in any more.

    Those of other runs to the same place, as the parts of a job array, stay. What lies within a case's own
    folder is removed when it is the case's turn.
    """
    for place in [output, *(output / CASES).glob("??")]:
        living(place, HIDDEN)
