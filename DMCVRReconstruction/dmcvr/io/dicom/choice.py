"""Which acquisition is the SAX stack, and which cines are LAX images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...core.errors import InputError
from ...core.geometry import unit
from ...core.parallel_slices import SAME_PLACE_MM, is_steep
from ..account import some
from .acquisitions import Acquisition, find_acquisitions
from .cines import Cine, by_orientation
from .grids import alike

TYPICAL_NORMAL = unit(np.array([0.55, -0.58, -0.6]))
"""Of short-axis planes, LPS; rarely more than 35 degrees away."""
_TYPICAL = float(np.cos(np.radians(35)))
_SAX = re.compile(r"(?<![a-z])(sax|sa|short.?axis|ktz|kurz\w*)(?![a-z])", re.I)
_VIEWS = re.compile(
    r"(?<![a-z0-9])([234]) ?-?(ch|chamber|kam\w*)(?![a-z])|(?<![a-z])(rvot|lvot|lax)(?![a-z])", re.I
)


@dataclass(frozen=True)
class Choice:
    """The SAX stack, its rivals and the LAX cines.

    sax: the acquisition that was chosen. rivals: acquisitions of its orientation that were not.
    lax: by time of acquisition. lax_names: as ``Study.lax_names``.
    notes: sentences on choices made for the user.
    """

    sax: Acquisition
    rivals: tuple[Acquisition, ...]
    lax: tuple[Cine, ...]
    lax_names: tuple[str, ...]
    notes: tuple[str, ...]


def choose(cines: Sequence[Cine]) -> Choice:
    """The SAX stack and LAX images among all cines of an examination. Raises InputError without a stack."""
    groups = [find_acquisitions(group) for group in by_orientation(cines)]
    stacks = [_best(group) for group in groups]
    ranked = sorted(
        (index for index, stack in enumerate(stacks) if len(stack.cines) > 1),
        key=lambda index: (*_rank(stacks[index], groups[index]), stacks[index].newness),
        reverse=True,
    )
    if not ranked:
        raise InputError(
            "The folder holds no stack of parallel cine slices; give a folder with all slices of the "
            "short-axis cine."
        )
    group, stack = groups[ranked[0]], stacks[ranked[0]]
    notes = []
    if len(ranked) > 1 and _rank(stack, group) == _rank(stacks[ranked[1]], groups[ranked[1]]):
        notes.append("Two stacks could equally be the short-axis one; the newest was used.")
    if not _is_named(group) and not _is_typical(stack):
        notes.append(
            "The slices are not called short-axis, nor do they lie as these do in most patients; look at the "
            "outlines, they may be of another view."
        )
    sax, rivals = _with_newer_slices(stack, [other for other in group if other is not stack])
    notes += _notes_on_rivals(sax, rivals)
    lax = _long_axis(groups, sax)
    return Choice(sax, tuple(rivals), lax, _names(lax), tuple(notes))


def _best(acquisitions: Sequence[Acquisition]) -> Acquisition:
    """The most complete acquisition: whole before new."""
    return max(
        acquisitions,
        key=lambda one: (
            not one.cines[0].is_otherwise,
            one.cines[0].moves,
            len(one.cines) > 1,
            -one.grade,
            len(one.cines),
            one.frames,
            not one.is_stress,
            one.newness,
        ),
    )


def _rank(stack: Acquisition, group: Sequence[Acquisition]) -> tuple[bool, bool, bool, bool, bool, int, int]:
    """What makes an orientation's best stack the short-axis one: its name, then its direction, then its
    size.
    """
    return (
        not stack.cines[0].is_otherwise,
        stack.cines[0].moves,
        len(stack.cines) >= 3,
        _is_named(group),
        _is_typical(stack),
        -stack.grade,
        len(stack.cines),
    )


def _is_named(group: Sequence[Acquisition]) -> bool:
    cines = [cine for one in group for cine in one.cines if not cine.is_otherwise]
    return any(_SAX.search(header.description) for cine in cines for header in cine.headers)


def _is_typical(stack: Acquisition) -> bool:
    return bool(abs(stack.normal @ TYPICAL_NORMAL) > _TYPICAL)


def _with_newer_slices(
    stack: Acquisition, rivals: list[Acquisition]
) -> tuple[Acquisition, list[Acquisition]]:
    """``stack`` with slices that were taken again alone, later and in full; and what is not used then.

    Where more than half of the slices were taken again it is another acquisition, which is not mixed in.
    """
    cines, redone = list(stack.cines), []
    for rival in sorted(rivals, key=lambda rival: rival.newness):
        index = int(np.abs(stack.places - rival.places[0]).argmin())
        if len(rival.cines) == 1 and _redoes(rival.cines[0], stack.cines[index], stack.normal):
            redone.append((index, rival))
    if not redone or 2 * len({index for index, _ in redone}) > len(cines):
        return stack, rivals
    unused = [rival for rival in rivals if all(rival is not one for _, one in redone)]
    for index, rival in redone:
        unused.append(replace(stack, cines=(cines[index],)))
        cines[index] = rival.cines[0]
    return replace(stack, cines=tuple(cines)), unused


def _redoes(cine: Cine, old: Cine, normal: np.ndarray) -> bool:
    return (
        abs((cine.centre - old.centre) @ normal) < SAME_PLACE_MM
        and cine.frames == old.frames
        and cine.first.grade == old.first.grade
        and cine.is_otherwise == old.is_otherwise
        and cine.protocol == old.protocol
        and alike(cine.plane, old.plane)
        and cine.first.newness > old.first.newness
    )


def _notes_on_rivals(sax: Acquisition, rivals: Sequence[Acquisition]) -> list[str]:
    """What the user should know of other acquisitions of the same kind."""
    again: set[int] = set()
    between = 0
    used = "newest"
    for rival in rivals:
        if rival.cines[0].is_otherwise != sax.cines[0].is_otherwise or rival.grade > max(sax.grade, 1):
            continue
        if rival.cines[0].moves != sax.cines[0].moves:
            continue
        near = [int(np.abs(sax.places - place).argmin()) for place in rival.places]
        same = np.abs(sax.places[near] - rival.places) < SAME_PLACE_MM
        again |= {index for index, hit in zip(near, same, strict=True) if hit}
        if same.any() and rival.newness > sax.newness:
            used = "most complete" if rival.is_stress == sax.is_stress else "resting"
        inside = (rival.places > sax.places[0]) & (rival.places < sax.places[-1]) & ~same
        if inside.sum() > 1 and all(sax.covers(cine) for cine in rival.cines):
            between = max(between, len(rival.cines))
    notes = []
    if again:
        notes.append(
            f"{some(len(again), len(sax.cines))} acquired again at the same place; the {used} "
            "acquisition was used."
        )
    if between:
        notes.append(
            f"Another stack of {between} slices lies between those of the one that was used, as at rest and "
            "under stress; the two were not mixed."
        )
    return notes


def _long_axis(groups: Sequence[Sequence[Acquisition]], sax: Acquisition) -> tuple[Cine, ...]:
    """Cines of one or two parallel places that cross the stack steeply, the newest of each place."""
    moving = sax.frames > 1
    found: list[Cine] = []
    for group in groups:
        cines = [
            cine
            for one in group
            for cine in one.cines
            if cine.frames > 1 or not moving
            if not cine.is_otherwise
        ]
        if not cines or not is_steep(cines[0].plane, sax.cines[0].plane):
            continue
        best: list[Cine] = []
        for cine in sorted(cines, key=_wholeness, reverse=True):
            if all(np.linalg.norm(cine.centre - other.centre) >= SAME_PLACE_MM for other in best):
                best.append(cine)
        if len(best) <= 2:
            found += best
    return tuple(sorted(found, key=lambda cine: cine.first.newness))


def _wholeness(cine: Cine) -> tuple[bool, int, int, tuple[str, str, float]]:
    return cine.moves, -cine.first.grade, cine.frames, cine.first.newness


def _names(lax: Sequence[Cine]) -> tuple[str, ...]:
    """Only the known views are taken from the descriptions, which may hold anything."""
    names: list[str] = []
    for cine in lax:
        view = _VIEWS.search(cine.first.description)
        base = "LAX" if view is None else f"{view[1]}CH" if view[1] else view[3].upper()
        taken = sum(name.split(" ")[0] == base for name in names)
        names.append(f"{base} {taken + 1}" if taken else base)
    return tuple(names)
