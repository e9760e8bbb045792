import pytest
import torch
from dmcvr.anatomy.heart_frame import REACH_MM
from dmcvr.model.networks.presets import ShapeCompleterConfig
from dmcvr.model.networks.shape_completer import ShapeCompleter, completer_input, straight_line

POSITIONS = torch.tensor([0.0, 10.0, 18.0])


def maps():
    torch.manual_seed(0)
    return torch.randn(3, 3, 16, 16) * 8


def test_the_line_meets_the_slices_and_goes_on_beyond_the_ends():
    line = straight_line(maps(), POSITIONS, torch.tensor([-7.0, 0.0, 4.0, 10.0, 18.0, 25.0]))
    clipped = maps().clamp(-REACH_MM, REACH_MM)
    for place, index in ((0, 0), (1, 0), (3, 1), (4, 2), (5, 2)):
        assert torch.allclose(line[place], clipped[index])
    assert torch.allclose(line[2], 0.6 * clipped[0] + 0.4 * clipped[1], atol=1e-5)


def test_a_fresh_network_keeps_the_line():
    wanted = torch.arange(-9.0, 27.0, 3.0)
    given = completer_input(maps(), POSITIONS, wanted)
    network = ShapeCompleter(ShapeCompleterConfig())
    depth, side = network.multiple
    assert given.shape[1] % depth == 0
    assert given.shape[2] % side == 0
    with torch.no_grad():
        found = network(given[None])
    assert torch.allclose(found[0].movedim(0, 1), straight_line(maps(), POSITIONS, wanted), atol=1e-5)


def test_places_are_told_by_the_slices_about_them():
    given = completer_input(maps(), POSITIONS, torch.tensor([-5.0, 4.0, 18.0, 24.0]))
    nearest, beyond, gap = given[3:, :, 0, 0] * 10
    assert nearest.tolist() == pytest.approx([5, 4, 0, 6])
    assert beyond.tolist() == pytest.approx([-5, 0, 0, 6])
    assert gap.tolist() == pytest.approx([10, 10, 8, 8])
