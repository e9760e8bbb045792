"""Finding the SAX stack and the LAX images in a folder of DICOM files, one study of one subject.

The unit is the run: the images of one series at one place, through time. Whether a scanner stored one series
a slice or one for all, runs of equal orientation, pixel spacing and size form a group; the group that looks
most like a short-axis stack is the stack, and cines that cross it are long-axis images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from ...core.geometry import unit
from ...core.parallel_slices import (
    SAME_PLACE_MM,
    can_be_stacked,
    first_at_each_place,
    is_steep,
    stack_geometry,
)
from ...core.stack import Stack
from ..sanity import check_stack
from .files import Header, read_headers, read_pixels

CINE_FRAMES = 5
TYPICAL_NORMAL = unit([0.55, -0.58, -0.6])  # of short-axis planes, LPS; rarely more than 35 degrees away
_SCOUT = re.compile(r"scout|survey|locali[sz]er|\bloc\b|3.?plane", re.I)
_SAX = re.compile(r"(?<![a-z])(sax|sa|short.?axis|ktz|kurz\w*)(?![a-z])", re.I)
_VIEWS = re.compile(
    r"(?<![a-z0-9])([234]) ?-?(ch|chamber|kam\w*)(?![a-z])|(?<![a-z])(rvot|lvot|lax)(?![a-z])", re.I
)


@dataclass(frozen=True)
class Study:
    """What one examination offers.

    sax: the short-axis stack.
    lax: long-axis images, a Stack of one slice each.
    lax_names: their views as the scanner's operator called them ("4CH"), else "LAX"; numbered where repeated.
    warnings: plain sentences on choices made for the user.
    """

    sax: Stack
    lax: tuple[Stack, ...]
    lax_names: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Run:
    """Images of one series at one place, sorted in time."""

    headers: tuple[Header, ...]

    @property
    def first(self) -> Header:
        return self.headers[0]


def read_study(folder: str | Path) -> Study:
    """The SAX stack and the LAX images in ``folder`` and below.

    Frames are sorted by trigger time, else by instance number. Where a place was acquired more than once, or
    two groups could equally be the stack, the newest series counts and a warning says so. Slices with
    different numbers of frames are refused, because pairing their frames would be a guess.
    Raises InputError for more than one subject or study, and where there is no such stack.
    """
    headers = read_headers(Path(folder))
    _check_one_study(headers)
    groups, notes = _groups(headers)
    sax = _choose_sax(groups, notes)
    frames = {len(run.headers) for run in sax}
    if len(frames) > 1:
        raise InputError(
            f"The short-axis slices have different numbers of frames ({min(frames)} to {max(frames)}); "
            "export the series again, or give one whose slices all have the same number."
        )
    stack = _stack(sax)
    check_stack(stack)
    if stack.gaps.max() > 1.5 * np.median(stack.gaps):
        notes.append(
            f"Two neighbouring slices are {stack.gaps.max():.1f} mm apart, much more than the others; "
            "a slice may be missing."
        )
    if not any(_rank(sax)[:2]):
        notes.append(
            "The slices are not called short-axis, nor do they lie as these do in most patients; look at the "
            "outlines, they may be of another view."
        )
    lax = _choose_lax(groups, sax)
    return Study(stack, tuple(_stack([run]) for run in lax), _names(lax), tuple(notes))


def _check_one_study(headers: list[Header]) -> None:
    for values in zip(*(header.subject for header in headers), strict=True):
        if len(set(values) - {""}) > 1:
            raise InputError(
                "The folder holds images of more than one patient; give a folder of one examination."
            )
    if len({header.study for header in headers}) > 1:
        raise InputError("The folder holds more than one examination (study); give a folder of one of them.")


def _groups(headers: list[Header]) -> tuple[list[list[_Run]], list[str]]:
    """Runs of equal orientation, spacing and size, sorted along the normal, each place once; and warnings.

    Scouts and phase images are left out, and still images where there are cines.
    """
    wanted = [
        header
        for header in headers
        if not {"LOCALIZER", "P", "PHASE", "PHASE MAP", "VELOCITY", "VELOCITY MAP"} & set(header.image_type)
        and not _SCOUT.search(header.description)
    ]
    groups: list[list[Header]] = []
    for header in wanted:
        group = next((group for group in groups if can_be_stacked(group[0].plane, header.plane)), None)
        if group is None:
            groups.append([header])
        else:
            group.append(header)
    runs = [_runs(group) for group in groups]
    if any(len(run.headers) >= CINE_FRAMES for group in runs for run in group):
        runs = [[run for run in group if len(run.headers) >= CINE_FRAMES] for group in runs]
    notes: list[str] = []
    return [_without_repeats(group, notes) for group in runs if group], notes


def _runs(headers: list[Header]) -> list[_Run]:
    runs: list[list[Header]] = []
    for header in headers:
        for run in runs:
            same_place = np.linalg.norm(run[0].plane.centre - header.plane.centre) < SAME_PLACE_MM
            if run[0].series == header.series and same_place:
                run.append(header)
                break
        else:
            runs.append([header])
    return [_Run(tuple(_in_time(run))) for run in runs]


def _in_time(headers: list[Header]) -> list[Header]:
    triggers = {header.trigger for header in headers}
    if None not in triggers and len(triggers) == len(headers):
        return sorted(headers, key=lambda header: header.trigger)
    return sorted(headers, key=lambda header: header.order)


def _without_repeats(group: list[_Run], notes: list[str]) -> list[_Run]:
    normal = group[0].first.plane.normal
    newest_first = sorted(group, key=lambda run: run.first.newness, reverse=True)
    positions = [float(run.first.plane.centre @ normal) for run in newest_first]
    kept = sorted(first_at_each_place(positions), key=lambda index: positions[index])
    if len(kept) < len(group):
        notes.append(
            f"{len(group) - len(kept)} of {len(group)} slices of one orientation were acquired again at the "
            "same place; the newest series was used."
        )
    return [newest_first[index] for index in kept]


def _choose_sax(groups: list[list[_Run]], notes: list[str]) -> list[_Run]:
    stacks = [group for group in groups if len(group) >= 3] or [group for group in groups if len(group) == 2]
    if not stacks:
        raise InputError(
            "The folder holds no stack of parallel cine slices; give a folder with all slices of the "
            "short-axis cine."
        )
    ranked = sorted(stacks, key=lambda group: (_rank(group), _newest(group)), reverse=True)
    if len(ranked) > 1 and _rank(ranked[0]) == _rank(ranked[1]):
        notes.append("Two stacks could equally be the short-axis one; the newest was used.")
    return ranked[0]


def _choose_lax(groups: list[list[_Run]], sax: list[_Run]) -> list[_Run]:
    """Images of one or two parallel places that cross the stack steeply, in the order they were acquired."""
    cine = len(sax[0].headers) > 1
    found = [
        run
        for group in groups
        for run in group
        if len(group) <= 2
        and is_steep(run.first.plane, sax[0].first.plane)
        and (len(run.headers) > 1 or not cine)
    ]
    return sorted(found, key=lambda run: run.first.newness)


def _rank(group: list[_Run]) -> tuple[bool, bool, int]:
    """What makes a group the short-axis stack: its name, then its direction, then its number of slices."""
    named = any(_SAX.search(run.first.description) for run in group)
    turned = abs(group[0].first.plane.normal @ TYPICAL_NORMAL) > np.cos(np.radians(35))
    return named, bool(turned), len(group)


def _newest(group: list[_Run]) -> tuple[str, str, float]:
    return max(run.first.newness for run in group)


def _names(lax: list[_Run]) -> tuple[str, ...]:
    """Only the known views are taken from the descriptions, which may hold anything."""
    names: list[str] = []
    for run in lax:
        view = _VIEWS.search(run.first.description)
        base = "LAX" if view is None else f"{view[1]}CH" if view[1] else view[3].upper()
        taken = sum(name.split(" ")[0] == base for name in names)
        names.append(f"{base} {taken + 1}" if taken else base)
    return tuple(names)


def _stack(runs: list[_Run]) -> Stack:
    """The runs' images, slice after slice."""
    planes = [run.first.plane for run in runs]
    origins, step_x, step_y = stack_geometry(planes)
    frames = read_pixels([header for run in runs for header in run.headers])
    frames = frames.reshape(len(runs), -1, *planes[0].shape).transpose(1, 0, 2, 3)
    return Stack(np.ascontiguousarray(frames), origins, step_x, step_y, _times(runs))


def _times(runs: list[_Run]) -> np.ndarray | None:
    """(T,) ms, the mean over the slices of their trigger times; None where missing or not increasing."""
    triggers = [[header.trigger for header in run.headers] for run in runs]
    if any(trigger is None for run in triggers for trigger in run):
        return None
    times = np.mean(triggers, axis=0)
    return times if len(times) > 1 and (np.diff(times) > 0).all() else None
