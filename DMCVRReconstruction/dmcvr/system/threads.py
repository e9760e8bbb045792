"""Work shared out among threads: that of ITK, scipy and torch, which hold no lock while they compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor


def in_threads(
    function: Callable,
    items: Iterable,
    threads: int | None = None,
    begin: Callable[[], None] = lambda: None,
) -> Iterator:
    """``function`` of every item, in their order.

    threads: how many, by default as many as ITK may have. begin: called first on each of them.
    What has not begun is dropped when a call, or whoever takes the results, raises.
    """
    if threads is None:
        import SimpleITK as sitk  # here, since what uses networks alone does without it

        threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    with ThreadPoolExecutor(threads, initializer=begin) as pool:
        yield from pool.map(function, items)
