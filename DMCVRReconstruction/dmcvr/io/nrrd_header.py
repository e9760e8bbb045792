"""The header of an NRRD file (teem.sourceforge.net/nrrd/format.html): its fields, and which axis is which.

Axes count from the fastest, as in the header. An axis with a space direction is one in space; frames lie
along one more, of kind ``time`` or ``list``, wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .image_file import Warn, damaged, in_colour, is_complex, wrong_dimensions
from .unpacking import reading

LONGEST = 1 << 20
"""Bytes of the longest header."""
MOST_AXES = 16
MOST_VOXELS_AN_AXIS = 1 << 40
KINDS_OF_FRAMES = ("time", "list", "domain", "space", "none", "???", "point", "scalar", "stub")
"""Kinds of an axis without a direction that may count frames. The rest are vectors and colours."""
VECTOR = re.compile(r"\(([^()]*)\)|none", re.IGNORECASE)
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
    """fields: values by name, in lower case. pairs: those of the key/value pairs. length: bytes up to the
    voxels, where these follow.
    """

    fields: Mapping[str, str]
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
    detached = end is None and len(start) < LONGEST  # such a header may end with the file
    if end is None and not detached:
        raise damaged(what)
    text = start if end is None else start[: end.start()]
    fields, pairs = {}, {}
    for line in text.decode("utf-8", "surrogateescape").splitlines()[1:]:
        if line.startswith("#") or not line.strip():
            continue
        if pair := re.match(r"([^:]*(?::(?!=|\s)[^:]*)*):=(.*)", line):
            pairs[pair[1]] = pair[2].replace("\\n", "\n").replace("\\\\", "\\")
        elif ": " in line or line.rstrip().endswith(":"):
            name, _, value = line.partition(":")
            fields[re.sub(r"\s+", " ", name.strip().lower())] = value.strip()
        else:
            raise damaged(what)
    return Header(fields, pairs, len(start) if end is None else end.end())


def find_axes(header: Header, what: str, warn: Warn) -> Axes:
    """Which axis is which. Raises InputError where three cannot be told to be in space."""
    fields = header.fields
    sizes = _integers(fields.get("sizes", ""), what)
    count = len(sizes)
    if not 1 <= count <= MOST_AXES or _integers(fields.get("dimension", ""), what) != (count,):
        raise damaged(what)
    if not all(1 <= size <= MOST_VOXELS_AN_AXIS for size in sizes):
        raise damaged(what)
    kinds = _per_axis(fields.get("kinds", ""), count, "none", what)
    directions = _directions(fields, count, what)
    spacings = _spacings(fields, count, what)
    frame_steps = list(spacings)
    if directions is None:
        inside = [axis for axis in range(count) if kinds[axis] in ("domain", "space", "none", "???")][:3]
    else:
        inside = []
        for axis, direction in enumerate(directions):
            if direction is not None and np.any(direction[:3] != 0):
                inside.append(axis)
            elif direction is not None and len(direction) == 4:
                frame_steps[axis] = float(direction[3])
    others = [axis for axis in range(count) if axis not in inside]
    if any("complex" in kinds[axis] for axis in others):
        raise is_complex()
    if any(kinds[axis] not in KINDS_OF_FRAMES for axis in others if sizes[axis] > 1):
        raise in_colour()
    several = [axis for axis in others if sizes[axis] > 1]
    if len(inside) != 3 or len(several) > 1:
        raise wrong_dimensions()
    frames = several[0] if several else None
    origin, steps = _place(fields, inside, directions, spacings, what, warn)
    units = re.findall(r'"([^"]*)"', fields.get("units", ""))
    step = None if frames is None or np.isnan(frame_steps[frames]) else frame_steps[frames]
    unit = units[frames] if frames is not None and len(units) == count else ""
    return Axes(sizes, (inside[0], inside[1], inside[2]), frames, origin, steps, step, unit)


def _place(
    fields: Mapping[str, str],
    inside: list[int],
    directions: list[np.ndarray | None] | None,
    spacings: list[float],
    what: str,
    warn: Warn,
) -> tuple[np.ndarray, np.ndarray]:
    """Origin and steps in LPS mm."""
    space = fields.get("space", "").strip().lower()
    if space not in SPACES:
        warn(
            "The NRRD header does not say how its slices lie in the patient; left and right were taken as in "
            "DICOM."
        )
    to_lps = SPACES.get(space, LPS)
    if directions is None:
        lengths = [1.0 if np.isnan(spacings[axis]) else spacings[axis] for axis in inside]
        return np.zeros(3), np.diag(lengths) @ to_lps
    steps = np.array([directions[axis][:3] for axis in inside])  # type: ignore[index]
    found = _vectors(fields.get("space origin", ""), what)
    origin = np.zeros(3) if not found or found[0] is None else found[0][:3]
    if len(origin) != 3 or steps.shape != (3, 3):
        raise damaged(what)
    return to_lps @ origin, steps @ to_lps


def _directions(fields: Mapping[str, str], count: int, what: str) -> list[np.ndarray | None] | None:
    if "space directions" not in fields:
        return None
    directions = _vectors(fields["space directions"], what)
    lengths = {len(item) for item in directions if item is not None}
    if len(directions) != count or len(lengths) > 1 or not lengths <= {1, 2, 3, 4}:
        raise damaged(what)
    return directions


def _vectors(text: str, what: str) -> list[np.ndarray | None]:
    """``(1,0,0) none (0,1,0)``; a vector of NaN stands for none."""
    out: list[np.ndarray | None] = []
    for found in VECTOR.finditer(text):
        vector = None if found[1] is None else np.array(_numbers(found[1].replace(",", " "), what))
        out.append(None if vector is None or np.isnan(vector).all() else vector)
    return out


def _spacings(fields: Mapping[str, str], count: int, what: str) -> list[float]:
    """Of each axis; NaN where the header does not say."""
    if "spacings" not in fields:
        return [np.nan] * count
    values = _numbers(fields["spacings"], what)
    if len(values) != count:
        raise damaged(what)
    return [abs(value) for value in values]


def _per_axis(text: str, count: int, default: str, what: str) -> list[str]:
    words = text.lower().split() or [default] * count
    if len(words) != count:
        raise damaged(what)
    return words


def _integers(text: str, what: str) -> tuple[int, ...]:
    words = text.split()
    if not all(re.fullmatch(r"\+?\d{1,18}", word, re.ASCII) for word in words):
        raise damaged(what)
    return tuple(map(int, words))


def _numbers(text: str, what: str) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError as error:
        raise damaged(what) from error
