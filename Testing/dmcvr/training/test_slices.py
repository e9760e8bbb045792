"""Batches of prepared slices."""

from dataclasses import replace

import torch
from dmcvr.model.networks.presets import COMPACT, PAPER
from dmcvr.training.slices import CANVAS, WHITE, window_step


def test_an_image_batch_has_what_was_asked_for_in_its_order(hearts):
    images = hearts.image_batch(torch.tensor([[4, 0], [-1, 4]]))
    assert images.shape == (2, 2, CANVAS, CANVAS)
    assert images.dtype == torch.float32
    torch.testing.assert_close(images[0, 1], hearts.images[0] / WHITE)
    torch.testing.assert_close(images[1, 1], images[0, 0])
    assert (images[1, 0] == 0).all()


def test_neighbours_end_with_their_stack(hearts):
    every = torch.arange(6)
    assert hearts.neighbours(every, 1).tolist() == [1, 2, -1, 4, 5, -1]
    assert hearts.neighbours(every, -1).tolist() == [-1, 0, 1, -1, 3, 4]
    assert hearts.neighbours(every, 2).tolist() == [2, -1, -1, 5, -1, -1]
    assert hearts.neighbours(every, torch.tensor([0, 1, -1, 2, -2, -1])).tolist() == [0, 2, 1, 5, -1, 4]


def test_slices_on_the_cpu_are_not_copied(hearts):
    moved = hearts.to(torch.device("cpu"))
    assert moved.images.data_ptr() == hearts.images.data_ptr()
    assert moved.names == hearts.names


def test_a_window_pixel_covers_prepared_pixels_by_their_size():
    spacings = torch.tensor([1.5, 0.75])
    assert window_step(COMPACT, spacings).tolist() == [1, 2]
    assert window_step(replace(COMPACT, spacing_mm=3.0), spacings).tolist() == [2, 4]
    assert window_step(PAPER, spacings).tolist() == [1, 1]
