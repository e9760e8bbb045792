"""Child processes that meet a fault: killed at a chosen moment, cut off from the network, under a wild clock.

Nothing of the program is replaced but the clock: Python's own audit events tell the moments.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

HOOK = Path(__file__).parent / "hook"


def sabotaged(**plan: object) -> dict[str, str]:
    """The environment of a child process that ``plan`` is to happen to; see ``hook/sitecustomize.py``."""
    path = os.pathsep.join(filter(None, [str(HOOK), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "SABOTAGE": json.dumps(plan), "OMP_NUM_THREADS": "1"}
