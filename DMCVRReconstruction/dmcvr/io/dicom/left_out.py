"""Which images of an examination were not used, why, and whether the stack lacks slices for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ...core.errors import InputError
from ..account import LeftOut
from ..sanity import GAP_MM
from . import kinds
from .acquisitions import Acquisition
from .choice import Choice
from .cines import Cine, parallel
from .headers import Header

OTHERWISE = "called or timed like perfusion, a map, flow or late enhancement, not like a cine"
STILL = "too few frames for a cine"
OTHER_FRAMES = "another number of frames than the stack's slices"
SECONDARY = "secondary captures or reformatted images beside original ones"
AGAIN = "the same slices acquired again, or copied"
OTHER_STACK = "another acquisition of the same direction"
OTHER_DIRECTION = "of another direction, and none of the long-axis images"
_NO_CINE = (kinds.PHASE, kinds.PARTS, kinds.MAP, kinds.SCOUT, OTHERWISE)
"""Beside these there is a cine of the same places, or they are not meant to be one."""
NEARLY_PARALLEL = float(np.cos(np.radians(15.0)))
"""Slices that lean by less were meant to be of the stack, though they cannot be put into it."""
BESIDE = 0.6
"""Share of the slices' distance beyond which an image lies where the stack has no slice."""


def check_frames(choice: Choice) -> None:
    """Raise InputError where slices that belong to the stack have another number of frames."""
    sax = choice.sax
    series = {cine.first.series for cine in sax.cines}
    names = {cine.protocol for cine in sax.cines}
    for rival in choice.rivals:
        first = rival.cines[0]
        meant = first.first.series in series or first.protocol in names
        if not meant or first.is_otherwise or rival.frames == sax.frames:
            continue
        if all(_extends(cine, sax) for cine in rival.cines):
            low, high = sorted((rival.frames, sax.frames))
            raise InputError(
                f"The short-axis slices have different numbers of frames ({low} to {high}); export the "
                "series again, or give one whose slices all have the same number."
            )


def account(choice: Choice, cines: Sequence[Cine], unusable: Sequence[Header]) -> tuple[LeftOut, ...]:
    """What became of all images with a place that are neither in the stack nor long-axis images."""
    used = {id(cine) for cine in (*choice.sax.cines, *choice.lax)}
    images: dict[str, int] = defaultdict(int)
    places: dict[str, list[float]] = defaultdict(list)
    rest = [(cine, _reason(cine, choice.sax)) for cine in cines if id(cine) not in used]
    rest += [(Cine((header,), ""), header.unusable or "") for header in unusable]
    for cine, reason in rest:
        if reason not in _NO_CINE and _extends(cine, choice.sax):
            places[reason].append(float(cine.centre @ choice.sax.normal))
        else:
            images[reason] += cine.frames
    beside = [LeftOut("slice", _distinct(found), reason, extends=True) for reason, found in places.items()]
    return (*beside, *(LeftOut("image", count, reason) for reason, count in sorted(images.items())))


def _reason(cine: Cine, sax: Acquisition) -> str:
    if cine.is_otherwise and not sax.cines[0].is_otherwise:
        return OTHERWISE
    if sax.cines[0].moves and not cine.moves:
        return STILL
    if not parallel(cine.plane, sax.cines[0].plane):
        return OTHER_DIRECTION
    if cine.frames != sax.frames:
        return OTHER_FRAMES
    if cine.first.grade > sax.grade:
        return SECONDARY
    return AGAIN if sax.distances([cine])[0] < sax.reach else OTHER_STACK


def _extends(cine: Cine, sax: Acquisition) -> bool:
    """Whether a cine lies parallel to the stack, over it, and where it has no slice."""
    lean = abs(float(cine.plane.normal @ sax.normal))
    if lean < NEARLY_PARALLEL or not sax.covers(cine):
        return False
    distance = float(sax.distances([cine])[0])
    return BESIDE * (sax.gap or 0.0) < distance <= GAP_MM[1]


def _distinct(places: Sequence[float]) -> int:
    """How many places there are, those within 0.5 mm taken as one."""
    return int(1 + (np.diff(np.sort(places)) > 0.5).sum())
