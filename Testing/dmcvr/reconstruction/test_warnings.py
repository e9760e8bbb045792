"""What is said of odd stacks; that of places and gaps is tested with the pipeline."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.geometry import Grid, unit
from dmcvr.core.labels import RVC
from dmcvr.core.stack import Stack
from dmcvr.reconstruction.output_grid import plan_layout
from dmcvr.reconstruction.stack_labels import segment_stack
from dmcvr.reconstruction.warnings import warnings_for


def told(stack, labels):
    return warnings_for(stack, 0.0, plan_layout(stack, 5.0), {0: labels})


def test_nothing_is_said_of_an_ordinary_stack(heart):
    assert told(heart[0], heart[1][0]) == []


def test_few_slices(heart):
    stack, labels = heart
    for count in (2, 3):
        (message,) = told(stack.select(slices=slice(0, count)), labels[0, :count])
        assert f"only {count} slices" in message


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_heart_that_the_border_cuts(heart, side):
    stack, labels = heart
    rows, columns = np.flatnonzero((labels[0] > 0).any((0, 2))), np.flatnonzero((labels[0] > 0).any((0, 1)))
    middle_row, middle_column = int(rows.mean()), int(columns.mean())
    area = {
        "left": np.s_[..., middle_column:],
        "right": np.s_[..., :middle_column],
        "top": np.s_[..., middle_row:, :],
        "bottom": np.s_[..., :middle_row, :],
    }[side]
    cut = replace(stack, frames=stack.frames[area])
    assert any("reach the border of the image" in message for message in told(cut, labels[0][area]))


def test_a_heart_without_a_right_ventricle(heart):
    stack, labels = heart
    (message,) = told(stack, np.where(labels[0] == RVC, 0, labels[0]))
    assert "No right ventricle" in message


def test_ventricles_that_no_slice_shows_together(heart):
    stack, labels = heart
    apart = labels[0].copy()
    half = len(apart) // 2
    apart[:half][apart[:half] == RVC] = 0
    apart[half:][apart[half:] != RVC] = 0
    assert any("No slice shows both ventricles" in message for message in told(stack, apart))


@pytest.mark.slow
@pytest.mark.parametrize("view", ["2ch", "3ch", "4ch"])
@pytest.mark.parametrize("slices", [6, 13])
def test_stacks_of_long_axis_slices_are_refused_or_pointed_out(model, phantom, view, slices):
    lax, gap = phantom.lax[view], 10.0
    x, y, normal = unit(lax.step_x), unit(lax.step_y), lax.normal
    size, pixel = 110, 2.4
    middle = phantom.hearts[0].ball[0]
    corner = middle - (x + y) * pixel * (size - 1) / 2 - normal * gap * (slices - 1) / 2
    grid = Grid(corner, x * pixel, y * pixel, normal * gap, (slices, size, size))
    origins = grid.position(np.arange(slices)[:, None] * [1, 0, 0])
    stack = Stack(phantom.truth_volume(grid, 0)[None].astype(np.float32), origins, grid.step_x, grid.step_y)
    try:
        _, labels = segment_stack(stack, model, [0], lambda *item: None)
        messages = told(stack, labels[0])
    except InputError as error:
        messages = [str(error)]
    assert any("short-axis" in message for message in messages)
