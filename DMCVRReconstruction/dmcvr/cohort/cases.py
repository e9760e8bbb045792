"""What a cohort consists of, and the list that is worked through."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..core.errors import InputError
from ..system.walk import files_below

LONGEST_NAME = 120
Frame = str | int


@dataclass(frozen=True)
class Case:
    """One reconstruction to be made.

    name: of its folder, each once in a cohort. subject: whose heart, so that phases find each other.
    path: an image file, or a folder of DICOM files. files: the DICOM files it consists of where these are not
    all that the folder holds. frame: as in ``options.Options``, None until it is chosen. phase: "ED" or "ES"
    where name, index or frame tell it. labels: an expert's. of_cine: whether other frames of the same stack
    are cases as well.
    """

    name: str
    subject: str
    path: Path
    frame: Frame | None = None
    phase: str | None = None
    labels: Path | None = None
    files: tuple[Path, ...] = ()
    of_cine: bool = False

    @property
    def inputs(self) -> list[Path]:
        """Every file of the image. Raises OSError where a folder cannot be listed."""
        if self.files:
            return list(self.files)
        if not self.path.is_dir():
            return [self.path]
        return files_below(self.path)


@dataclass(frozen=True)
class Selection:
    """Which cases are wanted.

    frames: of every stack; of several, each makes a case. pattern: a regular expression that the name matches
    somewhere. shard: (i, n) for the i-th of n parts, counted from 1; no subject is divided over two.
    expert_labels: whether labels that lie beside a stack, or that an index names, are used.
    """

    frames: tuple[Frame, ...] = ("ed",)
    pattern: str = ""
    shard: tuple[int, int] = (1, 1)
    expert_labels: bool = False

    def __call__(self, stacks: Iterable[Case]) -> Iterator[Case]:
        """The wanted cases of ``stacks``, in their order. Raises InputError for a pattern that is none."""
        try:
            wanted = re.compile(self.pattern)
        except re.error as error:
            raise InputError(f"The pattern for --cases is no regular expression: {error}.") from error
        index, count = self.shard
        for stack in stacks:
            if int(subject_hash(stack.subject), 16) % count == index - 1:
                if not self.expert_labels:
                    stack = replace(stack, labels=None)
                yield from (case for case in by_frame(stack, self.frames) if wanted.search(case.name))


class CaseList:
    """Cases found once and kept in a nameless temporary file, so that any number of them takes no memory.

    Raises InputError where there are none, and where two have one name.
    """

    def __init__(self, cases: Iterable[Case]):
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - lives as long as the list
        self._count = 0
        seen: set[bytes] = set()
        for case in cases:
            # A disk that does not tell capitals apart must not mix two cases up.
            digest = hashlib.blake2b(os.fsencode(case.name.lower()), digest_size=12).digest()
            if digest in seen:
                raise InputError(
                    f"Two inputs have the name {case.name}; rename one, or give an index with names."
                )
            seen.add(digest)
            self._file.write(json.dumps(asdict(case), default=str) + "\n")
            self._count += 1
        if not self._count:
            raise InputError("The input holds no short-axis stacks, or none that --cases and --shard choose.")

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Case]:
        self._file.seek(0)
        for line in self._file:
            held = json.loads(line)
            held["path"] = Path(held["path"])
            held["labels"] = None if held["labels"] is None else Path(held["labels"])
            held["files"] = tuple(map(Path, held["files"]))
            yield Case(**held)


def by_frame(stack: Case, frames: tuple[Frame, ...]) -> Iterator[Case]:
    """A case for each of ``frames``; only one where the stack's own frame or phase is known already."""
    if stack.frame is not None or stack.phase is not None or len(frames) == 1:
        yield stack if stack.frame is not None else replace(stack, frame=frames[0])
        return
    for frame in frames:
        title = str(frame).upper()
        phase = title if frame in ("ed", "es") else None
        yield replace(stack, name=f"{stack.name}_{title}", frame=frame, phase=phase, of_cine=True)


def subject_hash(subject: str) -> str:
    """32 bits of a hash in hexadecimal, the same everywhere, which divides subjects evenly."""
    return hashlib.sha256(os.fsencode(subject)).hexdigest()[:8]


def safe_name(text: str) -> str:
    """``text`` as the name of a folder on any system. Bytes that are no text, which would all become the
    same, are told apart by a hash.
    """
    name = re.sub(r"[^\w.+=@-]", "_", text)[:LONGEST_NAME].rstrip(".")
    if any("\udc80" <= letter <= "\udcff" for letter in text):
        name += f"-{hashlib.sha256(os.fsencode(text)).hexdigest()[:6]}"
    return name if name[:1] not in ("", ".") else f"_{name}"
