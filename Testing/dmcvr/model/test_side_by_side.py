import threading
import time

import pytest
import torch
from dmcvr.core.errors import CancelledError
from dmcvr.model.side_by_side import MOST, side_by_side


@pytest.fixture(params=[1, 2, 3, 9])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def nothing(item):
    pass


def test_results_and_what_is_told_keep_the_order_of_the_items(threads):
    def late(item):
        time.sleep(0.05 if item == 0 else 0)
        return 10 * item

    told = []
    assert side_by_side(late, range(5), told.append) == [0, 10, 20, 30, 40]
    assert told == [0, 1, 2, 3, 4]


def test_calls_share_the_threads_of_torch_and_leave_them_as_they_were(threads):
    workers = min(threads, 6, MOST)
    together = threading.Barrier(workers, timeout=10)

    def count(item):
        together.wait()  # fails where fewer calls run at the same time
        return torch.get_num_threads()

    counts = side_by_side(count, range(6 // workers * workers), nothing)
    assert set(counts) == {threads // workers}
    assert torch.get_num_threads() == threads


def test_calls_are_in_the_inference_mode_of_the_caller(threads):
    def mode(item):
        return torch.is_inference_mode_enabled()

    assert side_by_side(mode, range(4), nothing) == [False] * 4
    with torch.inference_mode():
        assert side_by_side(mode, range(4), nothing) == [True] * 4


def test_what_has_not_begun_is_dropped_when_who_is_told_raises(threads):
    begun = []

    def begin(item):
        begun.append(item)
        time.sleep(0.01)

    def stop(item):
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        side_by_side(begin, range(100), stop)
    assert len(begun) < 50
    assert torch.get_num_threads() == threads


def test_a_fault_in_a_call_is_the_callers(threads):
    def fail(item):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        side_by_side(fail, range(3), nothing)
    assert torch.get_num_threads() == threads
