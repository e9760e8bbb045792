"""The order of images in time, and images taken at one place more than once."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .headers import Header

Key = Callable[[Header], Any]
# What tells the order of frames, best first; "" and None stand for unknown.
ORDERS: dict[str, Key] = {
    "temporal positions": lambda header: header.temporal,
    "trigger times": lambda header: header.trigger,
    "acquisition times": lambda header: header.acquired,
    "content times": lambda header: header.taken,
    "instance numbers": lambda header: header.number,
}
CINE_FRAMES = 5
FRAME_STEP_MS, SHORTEST_MS = 250.0, 100.0
"""Between neighbouring frames of a cine at most, and between its first and last at least. Images of perfusion
lie a heart beat apart, those of a map are taken at one time of it.
"""

HEART_BEAT_MS = 300.0
"""The shortest there is."""
_DAY_TIME = re.compile(r"(?:.*?)(\d\d)(\d\d)(\d\d(?:\.\d*)?)(?:[+-]\d{4})?")


def in_time(headers: Sequence[Header]) -> tuple[list[Header], str]:
    """``headers`` of one acquisition at one place in order, and which of ORDERS tells it, "" for none."""
    for name, order in ORDERS.items():
        values = [order(header) for header in headers]
        if len(set(values)) == len(values) and not {None, ""} & set(values):
            return sorted(headers, key=order), name
    return sorted(headers, key=_any_order), ""


def split_repeats(headers: Sequence[Header]) -> list[list[Header]]:
    """``headers`` of one series at one place, by acquisition: several where time points are repeated."""
    time = _time_point(headers)
    if time is None:
        return _by_acquisition(headers)
    most = max(Counter(map(time, headers)).values())
    if most == 1:
        return [list(headers)]
    for groups in _groupings(headers):
        if len(groups) == most and all(len(set(map(time, group))) == len(group) for group in groups):
            return groups
    rounds: list[list[Header]] = [[] for _ in range(most)]
    count: Counter[Any] = Counter()
    for header in sorted(headers, key=_any_order):
        rounds[count[time(header)]].append(header)
        count[time(header)] += 1
    return rounds


def _by_acquisition(headers: Sequence[Header]) -> list[list[Header]]:
    """Where times tell nothing: equal parts that differ in what tells acquisitions apart."""
    for groups in _groupings(headers):
        sizes = {len(group) for group in groups}
        if len(groups) > 1 and len(sizes) == 1 and min(sizes) >= CINE_FRAMES:
            return groups
    return [list(headers)]


def has_times_of_a_cine(headers: Sequence[Header]) -> bool:
    """False where the times of the frames are known and are not those of a cine through the heart beat.

    Trigger times count; where there are none, frames acquired a heart beat apart are no cine.
    """
    if len(headers) < 3:
        return True
    triggers = [header.trigger for header in headers if header.trigger is not None]
    if len(triggers) == len(headers) and any(triggers):
        steps = np.diff(np.sort(triggers))
        return steps.sum() >= SHORTEST_MS and float(np.median(steps)) <= FRAME_STEP_MS
    acquired = [_ms_of_day(header.acquired) for header in headers]
    known = np.sort([ms for ms in acquired if ms is not None])
    return len(known) < len(headers) or bool(np.median(np.diff(known)) <= HEART_BEAT_MS)


def contradicts_triggers(headers: Sequence[Header]) -> bool:
    """Whether the trigger times of frames in order are known and do not increase."""
    triggers = [header.trigger for header in headers if header.trigger is not None]
    distinct = len(set(triggers)) == len(headers)
    return distinct and bool((np.diff(triggers) <= 0).any())


def _time_point(headers: Sequence[Header]) -> Key | None:
    """What numbers the time points of these images, perhaps more than once."""
    for order in (ORDERS["trigger times"], ORDERS["temporal positions"]):
        values = {order(header) for header in headers}
        if len(values) > 1 and None not in values:
            return order
    numbers = {header.number for header in headers}
    repeated = len(headers) > len(numbers) > 1 and None not in numbers
    return ORDERS["instance numbers"] if repeated and not in_time(headers)[1] else None


def _groupings(headers: Sequence[Header]) -> Iterator[list[list[Header]]]:
    """By each of what tells acquisitions within a series apart."""
    for part in range(len(headers[0].acquisition)):
        groups: dict[str, list[Header]] = defaultdict(list)
        for header in headers:
            groups[header.acquisition[part]].append(header)
        yield list(groups.values())


def _any_order(header: Header) -> tuple[Any, ...]:
    number = header.number if header.number is not None else 0.0
    trigger = header.trigger if header.trigger is not None else 0.0
    return header.acquired, header.taken, trigger, number, str(header.path)


def _ms_of_day(moment: str) -> float | None:
    """Of a DICOM time, or date and time (VR TM or DT)."""
    found = _DAY_TIME.fullmatch(moment)
    return None if found is None else (int(found[1]) * 60 + int(found[2])) * 60e3 + float(found[3]) * 1e3
