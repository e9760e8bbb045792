"""Handing cases to workers: any number of cases, a bounded number of them at a time.

Dask knows of no case but those in the window, so neither it nor the driver grows with the cohort. A worker
that dies costs the case it was at, which Dask gives to another one; a case during which workers die again and
again is recorded as failed. If the driver dies, nothing is lost but the cases in progress.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import count, islice
from uuid import uuid4

from ..core.errors import InputError
from .cases import Case
from .failures import WORKER_LOST, Failure, explain
from .outcome import Outcome
from .records import make_case_record, write_failure
from .settings import Settings

Done = Callable[[Outcome], None]
LEAST_WINDOW = 64
PER_WORKER = 4
LOOK_AGAIN_S = 10.0


def run_here(cases: Iterable[Case], settings: Settings, done: Done) -> None:
    """Do ``cases`` one after the other in this process, as one part of a job array."""
    for case in cases:
        done(work(case, settings))


def run_on(client, cases: Iterable[Case], settings: Settings, done: Done, window: int | None = None) -> None:
    """Do ``cases`` on the workers of ``client``, a ``distributed.Client``.

    done: told of each that has ended, in no fixed order. window: how many cases Dask may know of at a time,
    by default four a worker, but no fewer than 64. Raises InputError where the scheduler is lost.
    """
    from dask.utils import key_split
    from distributed import as_completed

    waiting, numbers, run = iter(cases), count(), uuid4().hex
    size = _Window(client, window)
    by_key: dict[tuple, Case] = {}
    tried: dict[str, int] = {}
    running = as_completed(loop=client.loop)

    def submit(cases: list[Case]) -> None:
        # Keys of one group whatever the cases are called, since the scheduler remembers every group's name;
        # and all at once, for only of a group that it sees to be large it gives a worker no more than it can
        # do. What waits at a worker that dies would be suspected of it.
        keys = [(f"dmcvr-{run}", next(numbers)) for _ in cases]
        by_key.update(zip(keys, cases, strict=True))
        for future in client.map(work, cases, settings=settings, key=keys, pure=False):
            running.add(future)

    def fill() -> None:
        # Not one by one: the scheduler notes every call of ``map``, for good.
        free = size() - len(by_key)
        if free >= max(1, size() // 4) and (more := list(islice(waiting, free))):
            submit(more)
            key_split.cache_clear()  # it would keep the keys of the last 100,000 cases

    fill()
    for future in running:
        case = by_key.pop(future.key)
        if future.status in ("cancelled", "lost"):
            # Dask gives futures up when it loses its scheduler, or when that was told to forget them.
            tried[case.name] = tried.get(case.name, 0) + 1
            if client.status != "running" or tried[case.name] > settings.retries:
                raise InputError("The Dask scheduler was lost; run the same command again to go on.")
            submit([case])
            continue
        error = future.exception() if future.status == "error" else None
        done(future.result() if error is None else _write_off(case, settings, error))
        future.release()
        fill()


def work(case: Case, settings: Settings) -> Outcome:
    """``work.run_case``; torch is only imported where cases are done."""
    from .work import run_case

    return run_case(case, settings)


class _Window:
    """How many cases may be under way; grows and shrinks with the cluster."""

    def __init__(self, client, fixed: int | None):
        self._client, self._fixed = client, fixed
        self._size, self._looked = LEAST_WINDOW, float("-inf")

    def __call__(self) -> int:
        if self._fixed is not None:
            return self._fixed
        now = time.monotonic()
        if now - self._looked > LOOK_AGAIN_S:
            self._looked = now
            self._size = max(LEAST_WINDOW, PER_WORKER * sum(self._client.nthreads().values()))
        return self._size


def _write_off(case: Case, settings: Settings, error: Exception) -> Outcome:
    """Record, in the worker's place, that none could do ``case``."""
    from distributed import KilledWorker

    failure: Failure = WORKER_LOST if isinstance(error, KilledWorker) else explain(error, case, settings)
    record = make_case_record(case, settings, attempts=1, seconds=0.0)
    record["error"] = failure.as_dict()
    try:
        write_failure(case, settings, record)
    except (OSError, InputError):  # told of at the end
        return Outcome(case.name, "failed", cause=failure.message, recorded=False)
    return Outcome(case.name, "failed", cause=failure.message)
