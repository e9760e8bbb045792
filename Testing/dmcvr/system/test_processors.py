import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dmcvr.system import processors
from dmcvr.system.processors import COUNTS, SPINS, available_cores, cgroup_share, prepare_threads


def files(root: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("contents", "share"),
    [
        ({}, math.inf),
        ({"proc/self/cgroup": "0::/\n"}, math.inf),
        ({"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/cpu.max": "max 100000\n"}, math.inf),
        ({"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/cpu.max": "150000 100000\n"}, 1.5),
        # A group's limit holds for those within it.
        (
            {
                "proc/self/cgroup": "0::/slurm/step\n",
                "sys/fs/cgroup/slurm/cpu.max": "400000 100000\n",
                "sys/fs/cgroup/slurm/step/cpu.max": "max 100000\n",
            },
            4,
        ),
        # A container sees its own group at the root, by whatever name it goes outside.
        ({"proc/self/cgroup": "0::/docker/0a1b\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        (
            {
                "proc/self/cgroup": "5:cpuset:/\n4:cpu,cpuacct:/docker/0a1b\n0::/\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "300000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            3,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            math.inf,
        ),
    ],
)
def test_limits_of_control_groups_of_either_version_are_read(tmp_path, contents, share):
    assert cgroup_share(files(tmp_path, contents)) == share


@pytest.mark.parametrize(("share", "cores"), [(math.inf, 8), (16.0, 8), (2.5, 3), (0.2, 1)])
def test_cores_are_those_of_the_mask_as_far_as_the_control_group_gives_them(monkeypatch, share, cores):
    monkeypatch.setattr(processors, "_in_affinity_mask", lambda: 8)
    monkeypatch.setattr(processors, "cgroup_share", lambda: share)
    assert available_cores() == cores
    environment: dict[str, str] = {}
    prepare_threads(environment)
    assert [environment.get(name) for name in COUNTS] == [str(cores) if cores < 8 else None] * 2


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS"])
def test_what_the_user_has_set_stands(monkeypatch, name):
    monkeypatch.setattr(processors, "available_cores", lambda: 0)
    environment = {name: "ACTIVE"}
    prepare_threads(environment)
    assert environment[name] == "ACTIVE"
    assert (environment.keys() >= SPINS.keys()) == (name == "OMP_NUM_THREADS")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="there are no affinity masks")
def test_one_processor_of_several_is_all_that_is_used():
    tell = "from dmcvr.system.processors import available_cores; print(available_cores())"
    one = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{one}}}); {tell}"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "1\n"


WAIT = """
import time
import {first}
import torch
torch.set_num_threads(2)
field = torch.zeros(400_000)
field.add_(1)
began = time.process_time()
for _ in range(40):
    field.add_(1)
    time.sleep(0.02)
print(time.process_time() - began)
"""


def seconds_waited(first: str) -> float:
    """Processor seconds of two threads that wait 0.8 s, with ``first`` imported before torch."""
    unset = {"OMP_WAIT_POLICY", "OMP_NUM_THREADS", *SPINS}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    command = [sys.executable, "-c", WAIT.format(first=first)]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(told.stdout)


@pytest.mark.slow
@pytest.mark.skipif(available_cores() < 2, reason="a single thread waits for none")
def test_threads_that_wait_sleep():
    assert seconds_waited("dmcvr") < 0.08 < seconds_waited("torch")
