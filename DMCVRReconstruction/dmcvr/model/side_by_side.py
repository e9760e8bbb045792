"""Calls of the networks side by side, each on processor cores of its own.

A call on all cores shares out each of some hundred layers among them, and after every one they wait for the
slowest. Side by side they wait once, at the end. On a quiet machine that gains little; beside a program that
takes one of two cores it takes half the time (`Testing/Benchmarks/side_by_side.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from ..system.threads import in_threads

MOST = 4
"""Calls at the same time, each of which takes memory; further cores share their work."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def calls_at_once() -> int:
    """How many calls torch's threads are shared out among."""
    return min(torch.get_num_threads(), MOST)


def side_by_side(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    done: Callable[[Item], None] = lambda item: None,
) -> list[Result]:
    """``function`` of every item, in their order, on the threads that torch may have.

    function: called in the caller's inference mode, but without its autocast. done: called on the caller's
    thread, for one item after the other. What has not begun is dropped when either raises.
    """
    threads = torch.get_num_threads()
    workers = min(calls_at_once(), len(items))
    inference = torch.is_inference_mode_enabled()

    def call(item: Item) -> Result:
        with torch.inference_mode(inference):
            return function(item)

    def begin() -> None:
        torch.set_num_threads(threads // workers)

    results = []
    try:
        calls = in_threads(call, items, workers, begin) if workers > 1 else map(call, items)
        for item, result in zip(items, calls, strict=True):
            results.append(result)
            done(item)
    finally:
        torch.set_num_threads(threads)  # a thread sets it for those that begin later as well
    return results
