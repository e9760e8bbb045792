"""Dask clusters to work on: this machine, one that is running already, or SLURM jobs."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from ..core.errors import InputError
from ..system.processors import available_cores

HINT = 'Cohorts on Dask need more packages: pip install "dmcvr[cohort]"; --shard 1/1 runs without them.'
CONNECT_S = 30
DASK = {
    # Results are a few hundred bytes: what fills a worker's memory is the computation, which neither spilling
    # nor pausing helps. A worker that grows too large is started again, and its case with it.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    # A case that waits at the scheduler is not suspected when a worker dies.
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.allowed-failures": 2,
    # Dask would look every 10 ms what its workers are at, which nobody reads.
    "distributed.worker.profile.enabled": False,
}
MEMORY = {"MALLOC_TRIM_THRESHOLD_": 2**28, "MALLOC_MMAP_THRESHOLD_": 2**25}
"""A worker's environment before it starts. Dask has workers give freed memory back at once, but a
reconstruction takes the same again and again, and the system clears it every time. glibc reads these; other
systems pass over them.
"""


@dataclass(frozen=True)
class Place:
    """Where to run.

    scheduler: address of a running one. slurm: number of jobs to start. workers: processes on this machine,
    None for one a graphics card, or one a core where there is none or none is wanted.
    """

    scheduler: str | None = None
    slurm: int | None = None
    workers: int | None = None
    use_gpus: bool = True


@contextmanager
def connected(place: Place) -> Iterator:
    """A ``distributed.Client`` of the cluster, which is taken down at the end if it was started here.

    Raises InputError where packages are missing or no scheduler answers.
    """
    if find_spec("distributed") is None:
        raise InputError(HINT)
    import dask
    from distributed import Client

    before_start = {f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in MEMORY.items()}
    with dask.config.set(DASK | before_start), contextlib.ExitStack() as stack:
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        cluster = place.scheduler
        if place.slurm is not None:
            cluster = stack.enter_context(slurm_cluster(place.slurm))
        elif cluster is None:
            cluster = stack.enter_context(local_cluster(place.workers, place.use_gpus))
        try:
            client = stack.enter_context(Client(cluster, timeout=CONNECT_S, set_as_default=False))
        except (OSError, ValueError) as error:
            raise InputError(
                "No Dask scheduler answers at the address of --scheduler; give one as in tcp://host:8786."
            ) from error
        yield client


def local_cluster(workers: int | None, use_gpus: bool):
    """Worker processes on this machine, each with a graphics card of its own, or its share of the cores."""
    from distributed import Nanny, Scheduler, SpecCluster

    cards = graphics_cards() if use_gpus else []
    count = workers or len(cards) or available_cores()
    return SpecCluster(
        workers={
            index: {"cls": Nanny, "options": worker_options(index, count, cards)} for index in range(count)
        },
        scheduler={"cls": Scheduler, "options": {"host": "127.0.0.1", "port": 0, **dashboard("127.0.0.1")}},
        silence_logs=logging.CRITICAL,
        name="dmcvr cohort",
    )


def worker_options(index: int, count: int, cards: list[str]) -> dict:
    """Of worker ``index`` among ``count``: its share of cores and memory, and one of the ``cards``."""
    threads = str(max(1, available_cores() // count))
    # A user's own choice goes first.
    environment = {name: os.environ.get(name, threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    environment["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = threads
    if cards:
        environment["CUDA_VISIBLE_DEVICES"] = cards[index % len(cards)]
    return {
        "nthreads": 1,
        "memory_limit": 1 / count,
        "silence_logs": logging.CRITICAL,
        "env": environment,
        "host": "127.0.0.1",
    }


def slurm_cluster(jobs: int):
    """SLURM jobs of one worker each; queue, cores, memory, graphics cards and time are those of Dask's own
    configuration (``jobqueue.slurm``).
    """
    if find_spec("dask_jobqueue") is None:
        raise InputError(HINT)
    if shutil.which("sbatch") is None:
        raise InputError("There is no SLURM here: the command sbatch was not found.")
    import dask
    from dask_jobqueue import SLURMCluster

    # A worker in a job knows nothing of this process's configuration.
    own = dask.config.get("jobqueue.slurm.job-script-prologue") or []
    try:
        cluster = SLURMCluster(
            processes=1,
            worker_extra_args=["--nthreads", "1"],
            scheduler_options=dashboard(""),
            job_script_prologue=[*own, *exports()],
        )
    except ValueError as error:
        raise InputError(
            "Dask's configuration does not say what a job is to have; set cores and memory under "
            "jobqueue.slurm, for instance in ~/.config/dask/jobqueue.yaml."
        ) from error
    cluster.scale(jobs=jobs)
    return cluster


def exports() -> list[str]:
    """Lines of a shell script that give DASK and MEMORY to a worker started by it."""
    dask = {f"DASK_{key.upper().replace('.', '__').replace('-', '_')}": value for key, value in DASK.items()}
    return [f"export {name}={value}" for name, value in (dask | MEMORY).items()]


def dashboard(host: str) -> dict:
    """A scheduler's options: Dask's dashboard at its usual port where bokeh is installed, else at none."""
    found = find_spec("bokeh") is not None
    return {"dashboard": found, "dashboard_address": f"{host}:{8787 if found else 0}"}


def graphics_cards() -> list[str]:
    """What CUDA_VISIBLE_DEVICES calls the graphics cards that this process may use."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name for name in chosen.split(",") if name and name != "-1"]
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return answer.stdout.split() if answer.returncode == 0 else []
