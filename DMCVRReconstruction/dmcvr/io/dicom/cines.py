"""Cines: the images of one place through time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...core.geometry import Plane
from ...core.parallel_slices import SAME_ANGLE, SAME_PLACE_MM
from .headers import Header
from .kinds import is_called_otherwise, protocol
from .timing import CINE_FRAMES, has_times_of_a_cine, in_time, split_repeats


@dataclass(frozen=True)
class Cine:
    """Images of one acquisition at one place, in the order of time; a still is a cine of one image.

    order: which of ``timing.ORDERS`` tells the order, "" where nothing does.
    """

    headers: tuple[Header, ...]
    order: str

    @property
    def first(self) -> Header:
        """The first frame's header."""
        return self.headers[0]

    @property
    def plane(self) -> Plane:
        """Where the cine lies."""
        return self.first.plane

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.headers)

    @property
    def moves(self) -> bool:
        """Whether there are enough frames for a heart beat."""
        return self.frames >= CINE_FRAMES

    @cached_property
    def centre(self) -> np.ndarray:
        """(3,) LPS mm."""
        return self.plane.centre

    @cached_property
    def is_otherwise(self) -> bool:
        """Whether it is called, or timed, as what is no plain cine: perfusion, maps, late enhancement."""
        named = any(is_called_otherwise(header.description) for header in self.headers)
        return named or not has_times_of_a_cine(self.headers)

    @cached_property
    def protocol(self) -> str:
        """What the slices of one acquisition are called alike."""
        return protocol(self.first.description)

    @property
    def acquired(self) -> tuple[tuple[str, str, float], str, float]:
        """Sorts the cines by when they were acquired."""
        first = min(self.headers, key=lambda header: (header.acquired, header.number or 0.0))
        return self.first.newness, first.acquired, first.number or 0.0


def find_cines(headers: Sequence[Header]) -> list[Cine]:
    """``headers`` sorted into cines: by series, by original and derived images, by place, by acquisition."""
    series: dict[tuple[str, int], list[Header]] = defaultdict(list)
    for header in headers:
        series[header.series, header.grade].append(header)
    return [
        Cine(*_timed(acquisition))
        for group in series.values()
        for place in _by_place(group)
        for acquisition in split_repeats(place)
    ]


def parallel(a: Plane, b: Plane) -> bool:
    """Whether two planes are parallel, whatever their rows and columns are."""
    return bool(abs(a.normal @ b.normal) > SAME_ANGLE)


def by_orientation(cines: Sequence[Cine]) -> list[list[Cine]]:
    """Groups of parallel cines."""
    groups: list[list[Cine]] = []
    for cine in cines:
        group = next((group for group in groups if parallel(group[0].plane, cine.plane)), None)
        if group is None:
            groups.append([cine])
        else:
            group.append(cine)
    return groups


def _timed(headers: list[Header]) -> tuple[tuple[Header, ...], str]:
    ordered, order = in_time(headers)
    return tuple(ordered), order


def _by_place(headers: list[Header]) -> list[list[Header]]:
    centres = np.array([header.plane.centre for header in headers])
    normals = np.array([header.plane.normal for header in headers])
    groups, left = [], np.arange(len(headers))
    while len(left):
        near = np.linalg.norm(centres[left] - centres[left[0]], axis=1) < SAME_PLACE_MM
        near &= np.abs(normals[left] @ normals[left[0]]) > SAME_ANGLE
        near[0] = True
        groups.append([headers[index] for index in left[near]])
        left = left[~near]
    return groups
