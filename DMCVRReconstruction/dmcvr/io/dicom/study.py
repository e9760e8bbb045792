"""The SAX stack and the LAX images in a folder of DICOM files, one study of one subject.

Images of one place through time are a cine (``cines``), parallel cines taken as one stack are an acquisition
(``acquisitions``). The acquisition that looks most like a short-axis stack is the stack, and cines that cross
it are long-axis images (``choice``). What is not used is accounted for (``left_out``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from ...core.stack import Stack
from ..account import LeftOut, some
from ..sanity import check_stack
from .choice import choose
from .cines import Cine, find_cines
from .grids import common_grid, stack_planes
from .headers import Header, read_headers
from .kinds import GREATEST_GRADE
from .left_out import account, check_frames
from .pixels import read_pixels
from .timing import contradicts_triggers


@dataclass(frozen=True)
class Study:
    """What one examination offers.

    sax: the short-axis stack.
    lax: long-axis images, a Stack of one slice each.
    lax_names: their views as the scanner's operator called them ("4CH"), else "LAX"; numbered where repeated.
    warnings: plain sentences on choices made for the user, and on what was left out that the stack may lack.
    left_out: all that was not used.
    """

    sax: Stack
    lax: tuple[Stack, ...]
    lax_names: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def read_study(folder: str | Path) -> Study:
    """The SAX stack and the LAX images in ``folder`` and below.

    The most complete acquisition counts, of equal ones the newest. Slices on other pixels than most are
    resampled. Slices with different numbers of frames are refused, because pairing their frames would be a
    guess. Raises InputError for more than one subject or study, and where there is no such stack.
    """
    contents = read_headers(Path(folder))
    _check_one_study(contents.headers)
    cines = find_cines(contents.headers)
    choice = choose(cines)
    check_frames(choice)
    stack, resampled = _stack(choice.sax.cines)
    check_stack(stack)
    left_out = (*account(choice, cines, contents.unusable), *contents.left_out)
    notes = [*choice.notes, *_notes(choice.sax.cines, stack, resampled)]
    notes += [item.sentence for item in left_out if item.deserves_warning]
    lax = tuple(_stack([cine])[0] for cine in choice.lax)
    return Study(stack, lax, choice.lax_names, tuple(notes), left_out)


def sax_files(folder: Path) -> tuple[Path, ...]:
    """The files of the short-axis stack that `read_study` finds in ``folder``, cine by cine. Raises
    InputError.
    """
    contents = read_headers(folder)
    _check_one_study(contents.headers)
    cines = choose(find_cines(contents.headers)).sax.cines
    return tuple(header.path for cine in cines for header in cine.headers)


def _check_one_study(headers: Sequence[Header]) -> None:
    for values in zip(*(header.subject for header in headers), strict=True):
        if len(set(values) - {""}) > 1:
            raise InputError(
                "The folder holds images of more than one patient; give a folder of one examination."
            )
    if len({header.study for header in headers}) > 1:
        raise InputError("The folder holds more than one examination (study); give a folder of one of them.")


def _stack(cines: Sequence[Cine]) -> tuple[Stack, int]:
    """The cines' images, slice after slice along the stack's normal, and how many had to be resampled."""
    shared = common_grid([cine.plane for cine in cines])
    planes = stack_planes([cine.plane for cine in cines], shared)
    order = np.argsort([plane.origin @ plane.normal for plane in planes])
    planes = [planes[index] for index in order]
    headers = [cines[index].headers for index in order]
    frames = read_pixels(headers, [None if shared[index] else planes[n] for n, index in enumerate(order)])
    origins = np.array([plane.origin for plane in planes])
    stack = Stack(frames, origins, planes[0].step_x, planes[0].step_y, _times(cines))
    return stack, shared.count(False)


def _times(cines: Sequence[Cine]) -> np.ndarray | None:
    """(T,) ms, the mean over the slices of their trigger times; None where missing or not increasing."""
    triggers = [[header.trigger for header in cine.headers] for cine in cines]
    if any(trigger is None for row in triggers for trigger in row):
        return None
    times = np.mean(np.array(triggers, float), axis=0)
    return times if len(times) > 1 and (np.diff(times) > 0).all() else None


def _notes(cines: Sequence[Cine], stack: Stack, resampled: int) -> list[str]:
    """What the user should know of the stack that was chosen."""
    notes = _notes_on_order(cines) if cines[0].frames > 1 else []
    if resampled:
        notes.append(
            f"{some(resampled, len(cines))} resampled onto the pixels of the others, whose matrix, pixel "
            "size or rotation is another."
        )
    if any(cine.is_otherwise for cine in cines):
        notes.append(
            "The images are called or timed like perfusion, a map, flow or late enhancement; they may not be "
            "a cine."
        )
    derived = sum(cine.first.grade > 0 for cine in cines)
    if 0 < derived < len(cines):
        notes.append(f"{some(derived, len(cines))} derived from other images, not original.")
    if any(cine.first.grade == GREATEST_GRADE for cine in cines):
        notes.append("The images are secondary captures or reformatted; give the original ones if you can.")
    if stack.gaps.size and stack.gaps.max() > 1.5 * np.median(stack.gaps):
        notes.append(
            f"Two neighbouring slices are {stack.gaps.max():.1f} mm apart, much more than the others; "
            "a slice may be missing."
        )
    return notes


def _notes_on_order(cines: Sequence[Cine]) -> list[str]:
    """What the order of the frames rests on, where it is not their trigger times alone."""
    orders = {cine.order for cine in cines}
    if "" in orders:
        return [
            "Nothing in the files tells the order of the frames in time; they were taken in the order of the "
            "files' names, and phases and ejection fraction may be wrong."
        ]
    if any(len({header.trigger for header in cine.headers} - {None}) < cine.frames for cine in cines):
        return [
            "The files do not tell when in the heart beat the frames were taken; their order in time is that "
            f"of their {' or '.join(sorted(orders))}."
        ]
    if any(contradicts_triggers(cine.headers) for cine in cines):
        return [
            f"The trigger times of the frames contradict their {' or '.join(sorted(orders))}, in whose order "
            "they were taken."
        ]
    return []
