from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.labels import COLOURS, RVC
from dmcvr.output.report.view_rows import choose_slices, slice_panels


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


def test_oblong_pixels_are_shown_in_true_proportion(data):
    """Every other row of the same heart: pixels twice as high as wide."""
    grid, stack = data.grid, data.stack
    oblong = replace(
        data,
        volume=data.volume[:, :, ::2],
        labels=data.labels[:, :, ::2],
        grid=replace(grid, step_y=2 * grid.step_y, shape=data.labels[0, :, ::2].shape),
        stack=replace(stack, frames=stack.frames[:, :, ::2], step_y=2 * stack.step_y),
        stack_labels=data.stack_labels[:, :, ::2],
    )
    panels = [slice_panels(item, 0, None)[0] for item in (data, oblong)]
    drawn = [np.argwhere((np.asarray(panel.image) == COLOURS[RVC]).all(-1)) for panel in panels]
    extents = [np.ptp(found, axis=0) for found in drawn]
    assert extents[1] == pytest.approx(extents[0], abs=8)
