"""The processors that this process may use, and how its threads wait for each other.

Torch shares its work out among OpenMP's threads, and one that has nothing to do spins for a while before it
sleeps. Where another program wants the processor, the threads that spin take it from those that compute, and
a reconstruction takes ten times as long. A short spin costs nothing on a quiet machine and little on a busy
one. OpenMP reads its settings from the environment when torch is loaded: what is set later changes nothing.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

SPINS = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "1"}
"""How long threads spin: GNU's OpenMP in turns of a loop, some 0.3 ms; Intel's and LLVM's, of Windows and
macOS, in ms. By default these take some 10 and 200 ms.
"""
COUNTS = ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
"""What OpenMP and ITK start no more threads than. Both keep to the affinity mask by themselves."""


def prepare_threads(environment: MutableMapping[str, str] = os.environ) -> None:
    """Have threads that wait sleep soon, and no more of them run than the process may have processors; to be
    called before torch is imported. What the ``environment`` says already stands.
    """
    # OMP_WAIT_POLICY says the same to all, and the others would overrule it.
    if not {"OMP_WAIT_POLICY", *SPINS} & environment.keys():
        environment.update(SPINS)
    if (cores := available_cores()) < _in_affinity_mask():
        for name in COUNTS:
            environment.setdefault(name, str(cores))


def available_cores() -> int:
    """How many processors this process may use: those of its affinity mask, as far as the control groups of a
    container or scheduler give it their time.
    """
    return math.ceil(max(1.0, min(_in_affinity_mask(), cgroup_share())))


def _in_affinity_mask() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cgroup_share(root: Path = Path("/")) -> float:
    """To how many processors' time the process's control groups limit it, infinite where they do not.

    root: where /proc and /sys lie. Both versions of control groups are read.
    """
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # another system than Linux
        return math.inf
    return min((_limit(folder) for line in groups for folder in _folders(line, root)), default=math.inf)


def _folders(line: str, root: Path) -> Iterator[Path]:
    """Where the limits of one line of /proc/self/cgroup, ID:CONTROLLERS:PATH, may stand: in the group and in
    those it belongs to. A container sees its own group as the mounted root, whatever its path is outside.
    """
    _, controllers, path = line.split(":", 2)
    mounted = root / "sys/fs/cgroup"
    if not controllers:  # version 2, alone or beside version 1
        mounts = [mounted, mounted / "unified"]
    elif "cpu" in controllers.split(","):
        mounts = [mounted / controllers, mounted / "cpu"]
    else:
        return
    for mount in mounts:
        group = mount / path.strip("/")
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(mount))


def _limit(folder: Path) -> float:
    """The processors' time that one control group may take, per time that passes."""
    if (version_2 := _numbers(folder / "cpu.max")) is not None:
        return version_2[0] / version_2[1]
    quota, period = (_numbers(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    if quota is None or period is None or quota[0] <= 0:  # -1: no limit
        return math.inf
    return quota[0] / period[0]


def _numbers(file: Path) -> list[float] | None:
    """The numbers in a file of a control group, "max" being infinite; None where there is no such file."""
    try:
        return [math.inf if word == "max" else float(word) for word in file.read_text().split()]
    except OSError:
        return None
