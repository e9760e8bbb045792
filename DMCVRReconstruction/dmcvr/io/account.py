"""What of an input was not used, and why: every file and slice is used or told of."""

from __future__ import annotations

from dataclasses import dataclass


def some(count: int, total: int) -> str:
    """The beginning of a sentence on some of the slices."""
    return f"{count} of the {total} slices {'was' if count == 1 else 'were'}"


@dataclass(frozen=True)
class LeftOut:
    """A part of an input that was not used.

    what: "folder", "file", "image" or "slice".
    count: how many of these.
    reason: a phrase, such as "in colour". It quotes nothing of the input.
    extends: whether they lie parallel to the stack where it has no slice, and would extend it or fill a gap.
    unread: whether it is unknown what they are, so that slices may be missing.
    """

    what: str
    count: int
    reason: str
    extends: bool = False
    unread: bool = False

    @property
    def deserves_warning(self) -> bool:
        """Whether the result may lack something for it."""
        return self.extends or self.unread

    @property
    def sentence(self) -> str:
        """What was left out, in words."""
        noun, verb = (self.what, "was") if self.count == 1 else (f"{self.what}s", "were")
        where = " that would extend the stack or fill a gap in it" if self.extends else ""
        return f"{self.count} {noun}{where} {verb} left out: {self.reason}."
