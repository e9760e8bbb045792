"""Every reader on some hundred damaged files, and whether the fuzzer would notice."""

import ctypes
import time

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from Fuzzing import harness
from Fuzzing.harness import damaged, fuzz
from Fuzzing.mutations import LONGEST
from Fuzzing.readers import READERS, Reader, Sample

COUNT = 250


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused_in_words(name):
    report = fuzz(READERS[name], COUNT, seed=1)
    assert report.findings == {}
    assert report.counts.total() == COUNT
    # Damage that is always noticed, or never, would prove nothing of what comes after.
    assert min(report.counts["read"], report.counts["refused"]) > 0


@pytest.mark.parametrize("name", READERS)
def test_every_sample_can_be_read_undamaged(name, tmp_path):
    for index, sample in enumerate(READERS[name].make(tmp_path)):
        path = tmp_path / sample.name
        path.write_bytes(sample.data)
        if (name, index) != ("job", 0):  # its files are not there
            READERS[name].read(path)
        path.unlink()


def strikes(path):
    """Whether a reader misbehaves on a file: on one of eight; four are refused."""
    first = int.from_bytes(path.read_bytes()[:1], "big")
    if first % 2 == 0:
        raise InputError("no")
    return first % 8 == 1


def crash(path):
    if strikes(path):
        ctypes.string_at(0)


def hang(path):
    while strikes(path):
        pass


def sleep(path):
    if strikes(path):
        time.sleep(3600)


def eat(path):
    if strikes(path):
        np.ones(2 * harness.MEMORY, np.uint8)


def hide(path):
    try:
        eat(path)
    except MemoryError as error:
        raise InputError("The file is damaged.") from error


def stumble(path):
    if strikes(path):
        raise ValueError("what a library says")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("read", "outcome", "count", "patience"),
    [
        (crash, "crash", 40, 60.0),
        (hang, "hang", 40, 60.0),
        (sleep, "hang", 12, 3.0),
        (eat, "memory", 40, 60.0),
        (hide, "memory", 40, 60.0),
        (stumble, "fault", 40, 60.0),
    ],
)
def test_what_a_reader_must_not_do_is_found_and_the_next_file_read(
    monkeypatch, read, outcome, count, patience
):
    monkeypatch.setattr(harness, "SECONDS", 0.2)
    monkeypatch.setattr(harness, "PATIENCE", patience)
    reader = Reader(lambda folder: [Sample("file", bytes([first])) for first in range(256)], read)
    report = fuzz(reader, count)
    assert report.counts.total() == count
    assert report.counts[outcome] > 0
    assert report.counts["refused"] > 0
    (finding,) = report.findings
    assert finding.startswith(f"{outcome}: ")
    numbers = report.findings[finding]
    assert fuzz(reader, 1, first=numbers[0]).findings == {finding: numbers[:1]}


def test_a_seed_and_a_number_name_a_file(tmp_path):
    samples = READERS["nrrd"].make(tmp_path)
    files = [damaged(samples, 3, number).data for number in range(200)]
    assert files == [damaged(samples, 3, number).data for number in range(200)]
    assert files != [damaged(samples, 4, number).data for number in range(200)]
    assert len(set(files)) > 190
    assert len(set(files) & {sample.data for sample in samples}) < 20
    assert max(map(len, files)) <= LONGEST
