"""Work shared out among threads: that of ITK and scipy, which hold no lock while they compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import SimpleITK as sitk


def in_threads(function: Callable, items: Iterable) -> Iterator:
    """``function`` of every item, in their order, on as many threads as ITK may have.

    What has not begun is dropped when a call, or whoever takes the results, raises.
    """
    with ThreadPoolExecutor(sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()) as pool:
        yield from pool.map(function, items)
