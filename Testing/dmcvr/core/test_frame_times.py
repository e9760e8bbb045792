import numpy as np
import pytest
from dmcvr.core.frame_times import nearest_frame, plausible_times, times_from_index


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([0, 30, 60], "ms", [0, 30, 60]),
        ([0, 0.03, 0.06], "s", [0, 30, 60]),
        ([0, 0.03, 0.06], None, [0, 30, 60]),
        ([0, 30, 60], "", [0, 30, 60]),
        ([0, 0.03, 0.06], "ms", None),
        ([0, 1, 2], None, None),  # frame numbers
        ([0, 60, 30], "ms", None),
        ([0, 600, 1200], "ms", None),
        ([30], "ms", None),
    ],
)
def test_times_are_told_from_other_numbers(values, unit, expected):
    times = plausible_times(np.array(values, float), unit)
    assert times is None if expected is None else times == pytest.approx(expected)


@pytest.mark.parametrize(
    ("index", "count", "expected"),
    [("0 30 60", 3, [0, 30, 60]), ("0 30 60", 4, None), ("ED mid ES", 3, None), ("", 0, None)],
)
def test_an_index_holds_a_time_for_every_frame_or_none(index, count, expected):
    times = times_from_index(index.split(), count, "ms")
    assert times is None if expected is None else times == pytest.approx(expected)


def test_the_nearest_frame_by_time_or_by_the_fraction_of_the_cycle():
    times = np.array([10.0, 40.0, 70.0])
    assert [nearest_frame(3, times, time, 0.0) for time in (0.0, 24.0, 26.0, 900.0)] == [0, 0, 1, 2]
    assert [nearest_frame(3, times, None, fraction) for fraction in (0.1, 0.34, 0.9)] == [0, 1, 0]
    assert nearest_frame(4, None, 70.0, 0.5) == 2
