"""How single arguments are read. Each raises argparse.ArgumentTypeError with a plain sentence."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

from ...reconstruction.options import BOTH, PHASES


def triple(text: str) -> tuple[int, int, int]:
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"give three numbers as in 1,2,3, not {text!r}")
    first, second, third = (int(part) for part in parts)
    if len({0, first, second, third}) != 4:
        raise argparse.ArgumentTypeError("the three numbers must differ from each other and from 0")
    return first, second, third


def frame(text: str) -> str | int:
    if text.lower() in PHASES:
        return text.lower()
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"choose ed, es, both, all or a number from 0, not {text!r}"
        ) from None


def frames(text: str) -> tuple[str | int, ...]:
    """A comma-separated list of frames, but not "both" or "all"."""
    frames = tuple(dict.fromkeys(frame(part.strip()) for part in text.split(",")))
    if {"all", BOTH} & {*frames}:
        raise argparse.ArgumentTypeError("name the frames one by one: ed, es or numbers from 0")
    return frames


def count(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give a whole number from 1, not {text!r}")
    return int(text)


def whole(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"give a whole number from 0, not {text!r}")
    return int(text)


def number(text: str) -> float:
    """A number, but neither infinity nor what is none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"give a number, not {text!r}")
    return value


def positive(text: str) -> float:
    """A number above 0."""
    value = number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"give a number above 0, not {text!r}")
    return value


def share(text: str) -> float:
    """A number from 0 and below 1."""
    value = number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"give a number from 0 and below 1, not {text!r}")
    return value


def length(text: str) -> float:
    """mm, from 0 to 20."""
    value = number(text)
    if not 0 <= value <= 20:
        raise argparse.ArgumentTypeError(f"give a length in mm from 0 to 20, not {text!r}")
    return value


def some_of(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """Reads a comma-separated list of ``known`` names."""

    def read(text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
        if not set(names) <= set(known):
            raise argparse.ArgumentTypeError(f"choose among {', '.join(known)}, not {text!r}")
        return names

    return read


def phases(text: str) -> tuple[str | int, ...]:
    """A comma-separated list of frames, or "all" alone."""
    return ("all",) if text.lower() == "all" else frames(text)


def part(text: str) -> tuple[int, int]:
    """The I-th of N parts, I from 1."""
    numbers = text.split("/")
    if len(numbers) == 2 and all(number.isdecimal() for number in numbers):
        index, total = map(int, numbers)
        if 1 <= index <= total:
            return index, total
    raise argparse.ArgumentTypeError(f"give a part as in 1/8, from 1/8 to 8/8, not {text!r}")
