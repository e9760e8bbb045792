"""The header of an NRRD file (teem.sourceforge.net/nrrd/format.html): its fields, and which axis is which.

Axes count from the fastest, as in the header. An axis with a space direction is one in space; frames lie
along one more, of kind ``time`` or ``list``, wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nrrd
import numpy as np

from .image_file import Warn, damaged, in_colour, is_complex, wrong_dimensions
from .unpacking import reading

LONGEST = 1 << 20
"""Bytes of the longest header."""
MOST_AXES = 16
MOST_VOXELS_AN_AXIS = 1 << 40
KINDS_OF_FRAMES = ("time", "list", "domain", "space", "none", "???", "point", "scalar", "stub")
"""Kinds of an axis without a direction that may count frames. The rest are vectors and colours."""
WORDS = ("type", "endian", "encoding", "space", "kinds")
"""Fields whose case means nothing."""
LPS, RAS, LAS = np.diag([1.0, 1.0, 1.0]), np.diag([-1.0, -1.0, 1.0]), np.diag([1.0, -1.0, 1.0])
SPACES = {
    "left-posterior-superior": LPS, "lps": LPS, "right-anterior-superior": RAS, "ras": RAS,
    "left-anterior-superior": LAS, "las": LAS,
    "left-posterior-superior-time": LPS, "lpst": LPS, "right-anterior-superior-time": RAS, "rast": RAS,
    "left-anterior-superior-time": LAS, "last": LAS,
}  # fmt: skip
"""What takes a space's coordinates to LPS."""


@dataclass(frozen=True)
class Header:
    """fields: as pynrrd gives them. pairs: the key/value pairs. length: bytes up to the voxels, where these
    follow.
    """

    fields: Mapping[str, Any]
    pairs: Mapping[str, str]
    length: int


@dataclass(frozen=True)
class Axes:
    """sizes: (D,) of all axes. spatial: the three axes x, y and z. frames: that of the frames, or None.
    origin: (3,) LPS mm. steps: (3, 3), rows are the steps along x, y and z. frame_step: between frames, in
    the unit ``frame_unit``, None where the header does not say.
    """

    sizes: tuple[int, ...]
    spatial: tuple[int, int, int]
    frames: int | None
    origin: np.ndarray
    steps: np.ndarray
    frame_step: float | None
    frame_unit: str


def read_header(path: Path, what: str) -> Header:
    """The header of the NRRD file ``path``. Raises InputError for one without end or sense."""
    with reading(what), path.open("rb") as file:
        start = file.read(LONGEST)
    end = re.search(rb"\r?\n\r?\n", start)
    if end is None and len(start) == LONGEST:  # a shorter one may end with the file: its voxels lie elsewhere
        raise damaged(what)
    text = start if end is None else start[: end.start()]
    magic, *lines = text.decode("utf-8", "surrogateescape").splitlines()
    fields, pairs = [magic], {}
    for line in lines:
        key, sign, value = line.partition(":=")
        if sign and ": " not in key and not line.startswith("#"):
            pairs[key] = value.replace("\\n", "\n").replace("\\\\", "\\")
        else:
            fields.append(_as_pynrrd_knows_it(line))
    try:
        with np.errstate(invalid="ignore"):  # sizes that are no numbers become negative
            return Header(nrrd.read_header(fields), pairs, len(start) if end is None else end.end())
    except (nrrd.NRRDError, ValueError, IndexError) as error:
        raise damaged(what) from error


def _as_pynrrd_knows_it(line: str) -> str:
    """A field with its name and words in lower case, and no spaces within vectors."""
    name, colon, value = line.partition(":")
    if not colon or line.startswith("#"):
        return line
    name = " ".join(name.lower().split())
    if name in WORDS:
        value = " ".join(value.lower().split())
    elif name in ("space directions", "space origin"):
        value = "".join(value.lower().split()).replace("(", " (").replace("none", " none")
    return f"{name}:{value}"


def find_axes(header: Header, what: str, warn: Warn) -> Axes:
    """Which axis is which. Raises InputError where three cannot be told to be in space."""
    fields = header.fields
    sizes = tuple(int(size) for size in fields.get("sizes", ()))
    count = len(sizes)
    if not 1 <= count <= MOST_AXES or fields.get("dimension") != count:
        raise damaged(what)
    if not all(1 <= size <= MOST_VOXELS_AN_AXIS for size in sizes):
        raise damaged(what)
    kinds = fields.get("kinds") or ["none"] * count
    directions = fields.get("space directions")
    spacings = np.abs(fields.get("spacings", np.full(count, np.nan)))
    if {len(kinds), len(spacings), count if directions is None else len(directions)} != {count}:
        raise damaged(what)
    if directions is None:
        inside = [axis for axis in range(count) if kinds[axis] in ("domain", "space", "none", "???")][:3]
        steps, frame_steps = np.diag(np.where(np.isnan(spacings), 1.0, spacings)[inside]), spacings
    else:
        inside, steps, frame_steps = _directed(directions, spacings)
    frames = _frames(sizes, kinds, inside)
    if steps.shape != (3, 3):
        raise damaged(what)
    to_lps = _to_lps(fields, warn)
    origin = np.zeros(3) if directions is None else _origin(fields, what)
    step = None if frames is None or np.isnan(frame_steps[frames]) else float(frame_steps[frames])
    units = fields.get("units", ())
    unit = units[frames] if frames is not None and len(units) == count else ""
    spatial = (inside[0], inside[1], inside[2])
    return Axes(sizes, spatial, frames, to_lps @ origin, steps @ to_lps, step, unit)


def _directed(directions: np.ndarray, spacings: np.ndarray) -> tuple[list[int], np.ndarray, np.ndarray]:
    """The axes in space, the steps along them, and the (D,) steps of axes of frames. directions: (D, 3), or
    (D, 4) where time is an axis of space; NaN for none.
    """
    directed = ~np.isnan(directions).all(1)
    inside = np.flatnonzero(directed & (directions[:, :3] != 0).any(1)).tolist()
    if directions.shape[1] != 4:
        return inside, directions[inside], spacings
    return inside, directions[inside, :3], np.where(directed, directions[:, 3], spacings)


def _frames(sizes: tuple[int, ...], kinds: list[str], inside: list[int]) -> int | None:
    """The axis of frames, if there is one. Raises InputError where an axis is neither in space nor of
    frames, or where there are too many.
    """
    others = [axis for axis in range(len(sizes)) if axis not in inside]
    if any("complex" in kinds[axis] for axis in others):
        raise is_complex()
    several = [axis for axis in others if sizes[axis] > 1]
    if any(kinds[axis] not in KINDS_OF_FRAMES for axis in several):
        raise in_colour()
    if len(inside) != 3 or len(several) > 1:
        raise wrong_dimensions()
    return several[0] if several else None


def _to_lps(fields: Mapping[str, Any], warn: Warn) -> np.ndarray:
    """(3, 3)"""
    if fields.get("space") not in SPACES:
        warn(
            "The NRRD header does not say how its slices lie in the patient; left and right were taken as in "
            "DICOM."
        )
    return SPACES.get(fields.get("space", ""), LPS)


def _origin(fields: Mapping[str, Any], what: str) -> np.ndarray:
    """(3,), zero where the header does not say."""
    origin: np.ndarray = fields.get("space origin", np.zeros(3))[:3]
    if len(origin) != 3:
        raise damaged(what)
    return np.zeros(3) if np.isnan(origin).all() else origin
