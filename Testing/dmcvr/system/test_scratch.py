import errno
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from dmcvr.system import scratch

SHAPE = 4, 2**22  # 64 MB of float32
FAULT = OSError(28, "No space left on device")


def memory_mb():
    """All that this process holds in memory, what lies on a disk as well included."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told apart by Linux's /proc")
def test_a_large_array_takes_no_memory_and_keeps_what_is_written(monkeypatch):
    monkeypatch.setattr(scratch, "LARGE", 1000)
    before = memory_mb()
    array = scratch.empty(SHAPE, np.float32)
    for index, part in enumerate(array):
        part[:] = index
        scratch.release(array)
    assert memory_mb() - before < 16
    assert [float(part.mean()) for part in array] == [0, 1, 2, 3]


def test_a_large_array_leaves_no_file(monkeypatch, tmp_path):
    monkeypatch.setattr(scratch, "LARGE", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    array = scratch.empty((1000,), np.uint8)
    if os.name == "posix":
        assert list(tmp_path.iterdir()) == []
    array[:] = 7
    assert isinstance(array, np.memmap)
    assert (array == 7).all()
    del array
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", [1000, 10**9])
def test_without_room_on_the_disk_or_a_need_for_it_an_array_lies_in_memory(monkeypatch, limit):
    def fail(*arguments):
        raise FAULT

    monkeypatch.setattr(scratch, "LARGE", limit)
    monkeypatch.setattr(scratch, "_reserve", fail)
    array = scratch.empty((10, 200), np.uint8)
    array[:] = 1
    scratch.release(array)
    assert type(array) is np.ndarray
    assert array.sum() == 2000


@pytest.mark.parametrize("fallocate", ["there", "refused", "absent"])
def test_room_is_taken_at_once(monkeypatch, tmp_path, fallocate):
    """A file of holes would take none."""

    def refuse(*arguments):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(scratch, "BLOCK", 30000)
    if fallocate == "refused":
        monkeypatch.setattr("os.posix_fallocate", refuse, raising=False)
    elif fallocate == "absent":
        monkeypatch.delattr("os.posix_fallocate", raising=False)
    with (tmp_path / "file").open("w+b") as file:
        scratch._reserve(file, 100001)
    found = (tmp_path / "file").stat()
    assert found.st_size == 100001
    assert getattr(found, "st_blocks", 200) * 512 >= 100001
