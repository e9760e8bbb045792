"""Acquisitions: parallel cines that were taken as one stack.

A scanner may store a stack as one series or as one a slice, and one series may hold a stack twice. So cines
are put together by how they were taken: in passes along the heart. A pass that is a stack in itself and lies
between the slices of another, as one at rest and one under stress do, is not merged with it, for the heart
had moved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...core.parallel_slices import SAME_PLACE_MM
from ..sanity import GAP_MM
from .cines import Cine
from .kinds import GREATEST_GRADE, is_stress

STACK_GAP_MM = 14.0
"""Slices nearer than this are a stack in themselves; of an interleaved one, half may lie further apart."""
OVERLAP = 0.75
"""Share of the slices' thickness, or of their distance, within which another slice is a repeat of one."""
EVEN, MOSTLY = 0.2, 0.7
"""Share by which distances of evenly spaced slices may differ from the median, and how many of them must not
differ by more."""


@dataclass(frozen=True)
class Acquisition:
    """Parallel cines with equal numbers of frames, each at a place of its own, sorted along ``normal``."""

    cines: tuple[Cine, ...]
    normal: np.ndarray

    @property
    def places(self) -> np.ndarray:
        """(S,) mm along the normal."""
        return np.array([cine.centre @ self.normal for cine in self.cines])

    @property
    def frames(self) -> int:
        """The number of frames."""
        return self.cines[0].frames

    @property
    def gap(self) -> float | None:
        """Median distance of neighbours in mm; None of a single slice."""
        return float(np.median(np.diff(self.places))) if len(self.cines) > 1 else None

    @property
    def thickness(self) -> float | None:
        """Of the slices in mm, None where unknown."""
        known = [cine.first.thickness for cine in self.cines if cine.first.thickness]
        return float(np.median(known)) if known else None

    @property
    def grade(self) -> int:
        """0 where all images are original, 1 where some are derived, 2 where some are secondary."""
        return max(cine.first.grade for cine in self.cines)

    @property
    def is_stress(self) -> bool:
        """Whether a slice is called as if taken under stress."""
        return any(is_stress(cine.first.description) for cine in self.cines)

    @property
    def newness(self) -> tuple[str, str, float]:
        """Date, time and number of the newest series."""
        return max(cine.first.newness for cine in self.cines)

    @property
    def reach(self) -> float:
        """mm from a slice within which another one is taken to repeat it."""
        limits = [OVERLAP * size for size in (self.thickness, self.gap) if size]
        return max(min(limits, default=2.0), SAME_PLACE_MM)

    def distances(self, cines: Sequence[Cine]) -> np.ndarray:
        """(N,) mm along the normal from each of ``cines`` to the nearest slice."""
        places = np.array([cine.centre @ self.normal for cine in cines])
        return np.asarray(np.abs(places[:, None] - self.places).min(axis=1))

    def covers(self, cine: Cine) -> bool:
        """Whether a parallel cine lies over the slices, not beside them."""
        offset = (
            cine.centre - self.cines[int(np.abs(self.places - cine.centre @ self.normal).argmin())].centre
        )
        beside = offset - (offset @ self.normal) * self.normal
        plane = self.cines[0].plane
        return bool(np.linalg.norm(beside) < 0.5 * min(np.array(plane.spacing[::-1]) * plane.shape))


def find_acquisitions(cines: Sequence[Cine]) -> list[Acquisition]:
    """The acquisitions among parallel ``cines``; every cine is in one of them, alone where it must be."""
    normal = cines[0].plane.normal
    kinds: dict[tuple[bool, int, bool], list[Cine]] = defaultdict(list)
    for cine in cines:
        kinds[cine.is_otherwise, cine.frames, cine.first.grade == GREATEST_GRADE].append(cine)
    return [found for alike in kinds.values() for found in _joined(_parts(alike, normal))]


def _parts(cines: list[Cine], normal: np.ndarray) -> list[Acquisition]:
    """What was taken in one pass: of each series, and of the series of one slice that are called alike."""
    series: dict[tuple[str, ...], list[Cine]] = defaultdict(list)
    for cine in cines:
        series[("series", cine.first.series)].append(cine)
    runs: dict[tuple[str, ...], list[Cine]] = defaultdict(list)
    for key, group in series.items():
        place = [cine.centre @ normal for cine in group]
        single = max(place) - min(place) < SAME_PLACE_MM
        runs[("protocol", group[0].protocol) if single else key] += group
    return [
        part
        for key, group in runs.items()
        for whole in _passes(group, normal)
        for part in _sweeps(whole, normal, one_series=key[0] == "series")
    ]


def _passes(cines: list[Cine], normal: np.ndarray) -> list[list[Cine]]:
    """``cines`` in the order they were taken, cut where places begin to be taken again.

    A single slice that was taken again is a pass of its own; the others go on after it.
    """
    waiting = [(float(cine.centre @ normal), cine) for cine in sorted(cines, key=lambda cine: cine.acquired)]
    passes: list[list[Cine]] = []
    places: list[float] = []
    for index, (place, cine) in enumerate(waiting):
        following = waiting[index + 1][0] if index + 1 < len(waiting) else None
        if not _among(place, places):
            if not places:
                current: list[Cine] = []
                passes.append(current)
            places.append(place)
            current.append(cine)
        elif following is None or not _among(following, places):
            passes.append([cine])
        else:
            current, places = [cine], [place]
            passes.append(current)
    return passes


def _among(place: float, places: Sequence[float]) -> bool:
    return any(abs(place - other) < SAME_PLACE_MM for other in places)


def _sweeps(cines: list[Cine], normal: np.ndarray, one_series: bool) -> list[Acquisition]:
    """A pass as a whole, or cut where it turns back, if its pieces are stacks between each other's slices."""
    pieces: list[list[Cine]] = []
    direction = 0.0
    for cine in cines:
        step = float((cine.centre - pieces[-1][-1].centre) @ normal) if pieces else 0.0
        if not pieces or step * direction < 0:
            pieces.append([cine])
            direction = 0.0
        else:
            pieces[-1].append(cine)
            direction = direction or step
    sweeps = [_acquisition(piece, normal) for piece in pieces]
    apart = any(
        _are_two_stacks(a, b, one_series) for index, a in enumerate(sweeps) for b in sweeps[index + 1 :]
    )
    return sweeps if apart else [_acquisition(cines, normal)]


def _acquisition(cines: Sequence[Cine], normal: np.ndarray) -> Acquisition:
    return Acquisition(tuple(sorted(cines, key=lambda cine: float(cine.centre @ normal))), normal)


def _are_two_stacks(a: Acquisition, b: Acquisition, one_series: bool) -> bool:
    """Whether two passes are each a stack in itself that lies between the other's slices.

    Halves of one stack that were taken in turn are evenly spaced together, do not overlap, and each alone has
    wide gaps.
    """
    if min(len(a.cines), len(b.cines)) < 3:
        return False
    if max(a.places[0], b.places[0]) >= min(a.places[-1], b.places[-1]):
        return False
    thickness = a.thickness or b.thickness
    if thickness and a.distances(b.cines).min() < 0.9 * thickness:
        return True
    gaps = np.diff(np.sort(np.concatenate([a.places, b.places])))
    if (np.abs(gaps - np.median(gaps)) < EVEN * np.median(gaps)).mean() < MOSTLY:
        return True
    return not one_series and max(a.gap or 0.0, b.gap or 0.0) <= STACK_GAP_MM


def _joined(parts: list[Acquisition]) -> list[Acquisition]:
    """Parts that complete each other put together, largest first."""
    found: list[Acquisition] = []
    for part in sorted(parts, key=lambda part: (-part.grade, len(part.cines), part.newness), reverse=True):
        for index, whole in enumerate(found):
            added = _completes(part, whole)
            if added:
                found[index] = _acquisition([*whole.cines, *added], whole.normal)
                rest = [cine for cine in part.cines if cine not in added]
                found += [_acquisition([cine], whole.normal) for cine in rest]
                break
        else:
            found.append(part)
    return found


def _completes(part: Acquisition, whole: Acquisition) -> list[Cine]:
    """The cines of ``part`` that belong to ``whole`` as well as its own; none where it is another stack."""
    if part.is_stress != whole.is_stress or _are_two_stacks(part, whole, one_series=False):
        return []
    distances = whole.distances(part.cines)
    new = [cine for cine, mm in zip(part.cines, distances, strict=True) if mm >= whole.reach]
    if 2 * len(new) <= len(part.cines) or distances[distances >= whole.reach].min() > GAP_MM[1]:
        return []
    return new if all(whole.covers(cine) for cine in new) else []
