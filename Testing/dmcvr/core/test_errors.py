import errno
import os

import pytest
import torch
from dmcvr.core.errors import StorageError, explain_fault


def test_a_full_graphics_card_is_told_from_a_full_computer():
    """The types are torch's own; no graphics card was filled."""
    for error in (torch.OutOfMemoryError("CUDA out of memory. Tried to"), RuntimeError("CUDA out of memory")):
        kind, sentence = explain_fault(error)
        assert kind == "memory"
        assert "graphics card ran out" in sentence
    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: not enough memory")):
        assert "computer ran out" in explain_fault(error)[1]


def test_an_allocation_that_torch_cannot_make_is_lack_of_memory():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 55, dtype=torch.uint8)
    assert explain_fault(caught.value)[0] == "memory"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device on this system")
def test_a_full_disk_is_told():
    """The device /dev/full answers as a full disk does."""
    with pytest.raises(OSError, match="space") as caught, open("/dev/full", "wb", buffering=0) as file:
        file.write(b"x")
    assert caught.value.errno == errno.ENOSPC
    assert explain_fault(caught.value)[0] == "disk"
    assert explain_fault(StorageError("Gone.")) == ("disk", "Gone.")


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes do not fit"), PermissionError(errno.EACCES, "no"), OSError()]
)
def test_other_errors_are_faults_of_the_program(error):
    assert explain_fault(error) is None
