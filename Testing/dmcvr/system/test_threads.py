import time

import pytest
import SimpleITK as sitk
from dmcvr.core.errors import CancelledError
from dmcvr.system.threads import in_threads


def test_results_come_in_the_order_of_the_items_whichever_is_done_first():
    def late(item):
        time.sleep(0.05 if item == 0 else 0)
        return item

    assert list(in_threads(late, range(5))) == list(range(5))


def test_what_has_not_begun_is_dropped_when_whoever_takes_the_results_raises():
    begun, count = [], 50 * sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()

    def begin(item):
        begun.append(item)
        time.sleep(0.02)

    def take():
        for _ in in_threads(begin, range(count)):
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        take()
    assert len(begun) < count / 2
