"""Reads damaged files in a process that may crash, and counts what becomes of them.

The process may have no more memory than MEMORY beyond what it starts with, and SECONDS of the processor a
file. Whatever a reader raises but InputError is a finding, and so is an InputError that hides a lack of
memory: on a larger machine the memory would have been taken.
"""

from __future__ import annotations

import faulthandler
import json
import os
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from dmcvr.core.errors import InputError

from .mutations import mutate
from .readers import Reader, Sample

MEMORY = 1 << 30
SECONDS = 5.0
PATIENCE = 120.0
"""Seconds by the clock without an answer after which the process is ended: it waits for something."""


@dataclass
class Report:
    """What became of the files of one reader.

    counts: by "read", "refused", "fault", "memory", "hang" and "crash". findings: the first files, by
    number, of every kind of finding, described in a line.
    """

    counts: Counter = field(default_factory=Counter)
    findings: dict[str, list[int]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether every file was read or refused."""
        return not self.findings

    def add(self, number: int, outcome: str, detail: str) -> None:
        """Count one file."""
        self.counts[outcome] += 1
        if outcome not in ("read", "refused"):
            self.findings.setdefault(f"{outcome}: {detail}", []).append(number)


def damaged(samples: list[Sample], seed: int, number: int) -> Sample:
    """File ``number`` of a seed."""
    random = Random(f"{seed} {number}")
    sample = random.choice(samples)
    return Sample(sample.name, mutate(sample.data, [other.data for other in samples], random))


def fuzz(reader: Reader, count: int, seed: int = 0, first: int = 0) -> Report:
    """Read ``count`` damaged files, from number ``first`` on."""
    report, number = Report(), first
    with tempfile.TemporaryDirectory(prefix="dmcvr-fuzz-") as name:
        # The path must not decide what is found.
        folder = Path(name) / "files"
        while number < first + count:
            folder.mkdir()
            for index, outcome, detail in _answers(reader, folder, seed, number, first + count):
                report.add(index, outcome, detail)
                number = index + 1
            shutil.rmtree(folder)
    return report


def _answers(
    reader: Reader, folder: Path, seed: int, start: int, stop: int
) -> Iterator[tuple[int, str, str]]:
    """Number, outcome and detail of each file until ``stop``, or until one ends the process."""
    incoming, outgoing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(incoming)
        _work(reader, folder, seed, range(start, stop), outgoing)
    os.close(outgoing)
    number, waited = start, False
    with os.fdopen(incoming, "rb", buffering=0) as pipe:
        rest = b""
        while number < stop:
            if not select.select([pipe], [], [], PATIENCE)[0]:
                os.kill(child, signal.SIGKILL)
                waited = True
                break
            if not (block := pipe.read(1 << 16)):
                break
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                yield (number, *json.loads(line))
                number += 1
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if number < stop:
        if waited or status == -signal.SIGPROF:
            yield number, "hang", f"no answer in {PATIENCE if waited else SECONDS:.0f} s"
        else:
            name = signal.Signals(-status).name if status < 0 else f"exit code {status}"
            yield number, "crash", name


def _work(reader: Reader, folder: Path, seed: int, numbers: range, outgoing: int) -> None:
    """The life of the process that reads."""
    code = 1
    try:
        faulthandler.disable()  # a crash is told from the exit code
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        samples = reader.make(folder)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        most = _memory() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        for number in numbers:
            file = damaged(samples, seed, number)
            path = folder / file.name
            path.write_bytes(file.data)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            outcome = attempt(reader, path)
            signal.setitimer(signal.ITIMER_PROF, 0)
            os.write(outgoing, json.dumps(outcome).encode() + b"\n")
            path.unlink()
        code = 0
    finally:
        os._exit(code)


def attempt(reader: Reader, path: Path) -> tuple[str, str]:
    """The outcome of reading a file, and for a finding what it is."""
    try:
        reader.read(path)
    except InputError as error:
        if lacking := _lack_of_memory(error):
            return "memory", f"{lacking} behind {str(error)[:80]!r}"
        return "refused", ""
    except MemoryError as error:
        return "memory", _where(error)
    except BaseException as error:
        return "fault", _where(error)
    return "read", ""


def _lack_of_memory(error: BaseException | None) -> str | None:
    while error is not None:
        text = str(error).lower()
        if isinstance(error, MemoryError) or re.search(
            "bad_alloc|allocate memory|(out of|enough) memory", text
        ):
            return f"{type(error).__name__} ({' '.join(text.split())[-160:]})"
        error = error.__cause__
    return None


def _where(error: BaseException) -> str:
    """Type, the last line of ours that it came through, and the first words."""
    ours = [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if f"{os.sep}dmcvr{os.sep}" in frame.filename
    ]
    words = " ".join(str(error).split())[:100]
    return f"{type(error).__name__} at {ours[-1] if ours else '?'}: {words}"


def _memory() -> int:
    """Bytes of address space that this process has."""
    if not sys.platform.startswith("linux"):
        raise OSError("The fuzzer needs Linux.")
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
