"""Counted operations and measured peaks."""

import torch
from dmcvr.training.throughput import flops_of, peak_flops


def test_operations_are_counted_forward_and_backward():
    """A product of (4, 6) and (6, 8) is 2 * 4 * 6 * 8 operations, each of its two gradients as many."""
    weight = torch.randn(6, 8, requires_grad=True)
    x = torch.randn(4, 6, requires_grad=True)
    once = 2 * 4 * 6 * 8
    assert flops_of(lambda: x @ weight) == once
    assert flops_of(lambda: (x @ weight).sum().backward()) == 3 * once


def test_a_convolution_is_counted():
    convolution = torch.nn.Conv2d(3, 5, 3, padding=1, bias=False)
    assert flops_of(lambda: convolution(torch.randn(2, 3, 8, 8))) == 2 * 2 * 8 * 8 * 3 * 5 * 9


def test_the_peak_is_a_possible_one():
    """Between a pocket calculator's and a supercomputer's: nobody's seconds are so exact as to say more."""
    assert 1e8 < peak_flops(torch.device("cpu"), "float32", seconds=0.1) < 1e14
