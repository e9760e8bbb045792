import pytest
import torch
from dmcvr.model.networks.presets import ShiftEstimatorConfig
from dmcvr.model.networks.shift_estimator import SIZE, ShiftEstimator, centred, weights


@pytest.fixture
def estimator():
    torch.manual_seed(0)
    network = ShiftEstimator(ShiftEstimatorConfig(widths=(8, 16), code=16)).eval()
    torch.nn.init.normal_(network.head.weight, std=0.1)
    return network


def stack(count: int):
    torch.manual_seed(1)
    maps = (
        torch.randn(1, count, 3, SIZE // 8, SIZE // 8).repeat_interleave(8, -1).repeat_interleave(8, -2) * 8
    )
    gaps = torch.full((1, count, 2), 9.0)
    gaps[:, 0, 0] = gaps[:, -1, 1] = 0
    return maps, gaps, torch.ones(1, count)


def test_a_fresh_network_moves_nothing():
    network = ShiftEstimator(ShiftEstimatorConfig())
    shift, sd = network(*stack(5))
    assert shift.shape == (1, 5, 2)
    assert shift.abs().max() < 1e-5
    assert (sd > 0).all()


@torch.no_grad()
def test_what_fills_up_a_batch_changes_nothing(estimator):
    maps, gaps, present = stack(6)
    alone = estimator(maps, gaps, present)
    longer = torch.cat([maps, torch.rand(1, 3, 3, SIZE, SIZE)], 1)
    filled = estimator(
        longer, torch.cat([gaps, torch.zeros(1, 3, 2)], 1), torch.cat([present, torch.zeros(1, 3)], 1)
    )
    assert torch.allclose(filled[0][:, :6], alone[0], atol=1e-4)
    assert torch.allclose(filled[1][:, :6], alone[1], atol=1e-4)
    assert not filled[0][:, 6:].any()


@torch.no_grad()
def test_the_mean_shift_is_nothing(estimator):
    maps, gaps, present = stack(7)
    shift, _ = estimator(maps, gaps, present)
    weight = weights(maps, present)
    assert shift.abs().max() > 0.01
    assert (shift * weight[..., None]).sum(1).abs().max() < 1e-4
    assert torch.allclose(centred(shift, weight), shift, atol=1e-5)
