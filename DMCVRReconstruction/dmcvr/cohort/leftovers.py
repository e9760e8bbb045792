"""What processes that were killed have left behind."""

from __future__ import annotations

from pathlib import Path

from ..privatefolder import living
from ..staging import HIDDEN
from .records import CASES


def remove_leftovers(output: Path) -> None:
    """Remove the hidden folders in a cohort's ``output`` that no process works in any more.

    Those of other runs to the same place, as the parts of a job array, stay.
    """
    parts = [path for path in (output / CASES).glob("??") if path.is_dir()]
    for place in [output, *parts]:
        living(place, HIDDEN)
        # A case that is done again is written from within its own folder.
        for folder in place.iterdir() if place in parts else ():
            if not folder.name.startswith("."):
                living(folder, HIDDEN)
