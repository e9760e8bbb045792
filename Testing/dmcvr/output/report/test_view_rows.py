import numpy as np
from dmcvr.output.report.view_rows import choose_slices


def test_shown_slices_hold_all_acquired_ones():
    acquired = [z // 10 if z % 10 == 0 else None for z in range(101)]
    filled = np.zeros(101, bool)
    filled[13:78] = True
    chosen = choose_slices(acquired, filled, 30)
    assert chosen[0] == 10
    assert chosen[-1] == 80
    assert set(range(10, 81, 10)) <= set(chosen)
    assert len(chosen) <= 30
    assert np.diff(chosen).max() <= 4
    assert choose_slices([None] * 5, np.array([0, 1, 1, 1, 0], bool), 30) == [1, 2, 3]
    assert choose_slices([0], np.array([True]), 30) == [0]
