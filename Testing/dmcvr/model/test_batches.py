"""Images as batches."""

import numpy as np
import pytest
import torch
from dmcvr.model.batches import as_batch, turn, turn_back, with_neighbours, without_neighbours


def test_beyond_its_ends_a_stack_has_no_neighbours():
    stack = np.arange(1, 4, dtype=np.float32)[:, None, None] * np.ones((3, 2, 2), np.float32)
    assert with_neighbours(stack, 1)[:, :, 0, 0].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 0]]
    assert with_neighbours(stack, 0)[:, :, 0, 0].tolist() == [[1], [2], [3]]
    several = with_neighbours(np.stack([stack, 10 * stack]), 1)[:, :, 0, 0]
    assert several.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 0], [0, 10, 20], [10, 20, 30], [20, 30, 0]]
    assert without_neighbours(stack, 1)[:, :, 1, 1].tolist() == [[0, 1, 0], [0, 2, 0], [0, 3, 0]]


def test_the_eight_views_of_a_square_differ_and_are_undone():
    image = torch.arange(9.0).view(1, 3, 3)
    views = [turn(image, view) for view in range(8)]
    assert len({tuple(view.flatten().tolist()) for view in views}) == 8
    for view, turned in enumerate(views):
        assert torch.equal(turn_back(turned, view), image)


@pytest.mark.parametrize("dtype", [np.uint16, np.float64, np.float32])
def test_as_batch_takes_any_array(dtype):
    array = np.arange(2 * 6 * 4).reshape(2, 4, 6).astype(dtype).transpose(0, 2, 1)[:, ::-1]
    batch = as_batch(array)
    assert batch.shape == (2, 1, 6, 4)
    assert batch.dtype == torch.float32
    assert np.array_equal(batch[:, 0].numpy(), array)
