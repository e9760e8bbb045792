import os
import subprocess
import sys

import pytest

THREADS = """
import ctypes, sys, threading
from dmcvr.system.heap import share_heap
if {share}:
    share_heap()
together = threading.Barrier(3)

def allocate():
    library = ctypes.CDLL(None)
    library.malloc(1000)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library = ctypes.CDLL(None)
library.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(library.fopen(sys.argv[1].encode(), b"w"))
library.malloc_info(0, file)
library.fclose(file)
"""


def heaps(folder, share: bool) -> int:
    """How many heaps a process has that allocated in three threads."""
    told = folder / f"{share}.xml"
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", THREADS.format(share=share), str(told)]
    subprocess.run(command, env=environment, check=True)
    return told.read_text().count("<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="GNU's C library is Linux's")
def test_threads_share_a_heap(tmp_path):
    assert heaps(tmp_path, share=True) == 1 < heaps(tmp_path, share=False)
