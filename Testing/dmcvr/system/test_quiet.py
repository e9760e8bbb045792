import os
import threading

import SimpleITK as sitk
from dmcvr.system.quiet import quiet


def test_nothing_is_printed_inside_and_everything_after(capfd):
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    with quiet():
        os.write(2, b"noise")
        assert not sitk.ProcessObject.GetGlobalWarningDisplay()
    os.write(2, b"news")
    assert capfd.readouterr().err == "news"
    assert sitk.ProcessObject.GetGlobalWarningDisplay() == before


def test_threads_that_leave_in_any_order_leave_the_terminal_as_it_was(capfd):
    first_in, second_in, first_out = (threading.Event() for _ in range(3))

    def first():
        with quiet():
            first_in.set()
            assert second_in.wait(10)
        first_out.set()

    def second():
        assert first_in.wait(10)
        with quiet():
            second_in.set()
            assert first_out.wait(10)
            os.write(2, b"noise")  # the other thread is out, this one is not

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"news")
    assert capfd.readouterr().err == "news"
