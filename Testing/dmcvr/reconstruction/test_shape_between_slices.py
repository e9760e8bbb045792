"""The shape between slices, with and without what was learned on the straight line."""

import numpy as np
import pytest
import torch
from dmcvr.anatomy.distance_interpolation import apical_end, heart_areas, interpolate_distances
from dmcvr.anatomy.signed_distances import WHOLE_MM, nested_distances
from dmcvr.model.inference import Model
from dmcvr.model.networks.interpolator import ShapeInterpolator
from dmcvr.reconstruction.shape_between_slices import ShapeBetweenSlices


def arguments(count: int = 3, size: int = 16) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    return (
        torch.randn(count, 4, 3, size, size) * 10,
        torch.ones(count, 2),
        torch.rand(count),
        torch.full((count,), 9.0),
    )


@pytest.fixture
def network(tiny):
    """One that does add something."""
    network = ShapeInterpolator(tiny.interpolator)
    torch.nn.init.constant_(network.head[-1].bias, 0.3)
    torch.nn.init.normal_(network.head[-1].weight, std=0.1)
    return network.eval().requires_grad_(False)


@pytest.fixture
def bending(tiny, network):
    """A model with that network."""
    model = Model.untrained(tiny)
    model.interpolator = network
    return model


@pytest.fixture
def place(heart):
    """A stack, its labels (S, H, W), and the heart's middle."""
    stack, labels = heart
    row, column = np.argwhere(labels[0] > 0)[:, 1:].mean(0)
    return stack, labels[0], stack.origins[0] + row * stack.step_y + column * stack.step_x


def straight(stack, labels, wanted):
    maps = nested_distances(labels, stack.spacing, WHOLE_MM)
    return interpolate_distances(
        maps, stack.positions, wanted, apical_end(heart_areas(labels), stack.positions)
    )


def test_an_untrained_network_adds_nothing(tiny):
    assert (ShapeInterpolator(tiny.interpolator)(*arguments()) == 0).all()


def test_nothing_is_added_at_the_slices_themselves(network):
    maps, beyond, _, gap = arguments(2)
    assert (network(maps, beyond, torch.tensor([0.0, 1.0]), gap[:2]) == 0).all()
    assert (network(maps, beyond, torch.tensor([0.5, 0.5]), gap[:2]) != 0).any()


def test_a_slice_that_is_not_there_does_not_count(network):
    maps, beyond, fraction, gap = arguments()
    other = maps.clone()
    other[:, 3] += 5
    assert not torch.equal(network(other, beyond, fraction, gap), network(maps, beyond, fraction, gap))
    beyond[:, 1] = 0
    assert torch.equal(network(other, beyond, fraction, gap), network(maps, beyond, fraction, gap))


def test_without_a_network_it_is_the_straight_line(place):
    stack, labels, centre = place
    wanted = np.linspace(stack.positions[0], stack.positions[-1], 7)
    line = ShapeBetweenSlices(stack, labels, None, centre)
    np.testing.assert_array_equal(line.at(wanted), straight(stack, labels, wanted))


def test_the_network_bends_the_line_between_slices_and_not_at_them(place, bending):
    stack, labels, centre = place
    line = ShapeBetweenSlices(stack, labels, bending, centre)
    np.testing.assert_array_equal(line.at(stack.positions), straight(stack, labels, stack.positions))
    middles = (stack.positions[1:] + stack.positions[:-1]) / 2
    bend = line.at(middles) - straight(stack, labels, middles)
    assert (np.abs(bend).max((2, 3)) > 0.1).all()
    # One at a time gives the same as all at once.
    np.testing.assert_allclose(line.at(middles[1:2])[0], line.at(middles)[1], atol=1e-4)


def test_a_structure_that_ends_between_slices_ends_as_by_the_straight_line(place, bending):
    stack, labels, centre = place
    labels = labels.copy()
    labels[0][labels[0] == 3] = 0
    middle = stack.positions[:2].mean(keepdims=True) - 1
    bend = ShapeBetweenSlices(stack, labels, bending, centre).at(middle) - straight(stack, labels, middle)
    assert (bend[0, 2] == 0).all()
    assert (bend[0, 0] != 0).any()


def test_a_slice_much_further_away_does_not_count_as_the_next_one(place, bending):
    """Of four slices the last is moved away: between the first two it is as if it were not there."""
    stack, labels, centre = place
    far = stack.select(slices=slice(0, 3))
    origins = far.origins.copy()
    origins[2] += 40 * far.normal
    far = type(far)(far.frames, origins, far.step_x, far.step_y)
    middle = far.positions[:2].mean(keepdims=True)
    two = far.select(slices=slice(0, 2))
    found = [
        ShapeBetweenSlices(part, labels[: len(part.origins)], bending, centre).at(middle)
        for part in (far, two)
    ]
    line = straight(two, labels[:2], middle)
    np.testing.assert_allclose(found[0] - straight(far, labels[:3], middle), found[1] - line, atol=1e-4)
