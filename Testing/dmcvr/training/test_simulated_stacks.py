import pytest
import torch
from dmcvr.anatomy.heart_frame import PIXEL_MM, REACH_MM
from dmcvr.model.networks.shape_completer import SLICE_MM
from dmcvr.training.heart_distances import distances_of, phantom_labels
from dmcvr.training.shift_estimator import ShiftBatch, batch_of, moved_maps
from dmcvr.training.simulated_stacks import StackStyle, random_shifts, simulated_stack


@pytest.fixture(scope="module")
def distances():
    return torch.from_numpy(distances_of(phantom_labels(0)))


def drawn(distances, seed: int, **style):
    torch.manual_seed(seed)
    return simulated_stack(distances, StackStyle(**style))


@pytest.mark.parametrize("seed", range(4))
def test_slices_show_the_heart_where_they_were_displaced_to(distances, seed):
    stack = drawn(distances, seed, shift_sd_mm=4.0)
    assert stack.maps.abs().max() <= REACH_MM + 1e-3
    assert stack.positions.diff() == pytest.approx(torch.full((len(stack.positions) - 1,), stack.gap))
    truth = stack.heart.at(_points(stack))
    moved = moved_maps(stack.maps, -stack.shifts)
    inner = slice(2, -2)
    there, back = (_overlap(maps[inner, 1] > 0, truth[1, inner] > 0) for maps in (stack.maps, moved))
    assert back > 0.93
    assert back > there + 0.01


def test_the_truth_ends_where_the_stack_does(distances):
    for seed in range(6):
        stack = drawn(distances, seed, shift_sd_mm=0.0)
        dense = stack.dense_positions(60)
        truth = stack.truth(dense, 64)
        shown = (stack.maps[:, 1:] > 0).flatten(1).any(1).nonzero()[:, 0]
        inside = dense[(truth > 0).any(0).flatten(1).any(1)]
        assert inside[0] >= stack.positions[shown[0]] - stack.gap
        most = stack.gap if stack.closed[1] else stack.gap / 2
        assert inside[-1] <= stack.positions[shown[-1]] + most
        # Muscle lies below the cavity.
        cavity = dense[(truth[0] > 0).flatten(1).any(1)]
        assert cavity[0] - inside[0] >= SLICE_MM


def test_the_same_seed_draws_the_same_stack(distances):
    one, two, other = drawn(distances, 3), drawn(distances, 3), drawn(distances, 4)
    assert torch.equal(one.maps, two.maps)
    assert one.gap != other.gap


def test_shifts_come_as_asked():
    torch.manual_seed(0)
    assert not random_shifts(500, StackStyle(shift_sd_mm=0.0)).any()
    assert random_shifts(5000, StackStyle(shift_sd_mm=2.0)).std() == pytest.approx(2, rel=0.05)
    kinds = [bool(random_shifts(20, StackStyle()).any()) for _ in range(400)]
    assert sum(kinds) / 400 == pytest.approx(0.75, abs=0.08)
    jumping = random_shifts(200, StackStyle(shift_sd_mm=None, jump_share=1.0, largest_shift_sd_mm=0.0))
    assert len(jumping.unique(dim=0)) <= 2


def test_batches_are_filled_up(distances):
    stacks = [drawn(distances, seed) for seed in (0, 1, 2)]
    batch = batch_of(stacks)
    assert isinstance(batch, ShiftBatch)
    assert batch.present.sum(1).tolist() == [len(stack.positions) for stack in stacks]
    for row, stack in enumerate(stacks):
        count = len(stack.positions)
        assert batch.gaps[row, 1:count, 0] == pytest.approx(stack.positions.diff())
        assert not batch.shifts[row, count:].any()
        difference = batch.shifts[row, :count] - stack.shifts
        assert difference == pytest.approx(difference[:1].expand_as(difference), abs=1e-4)


def _points(stack):
    size = stack.maps.shape[-1]
    along = (torch.arange(size) - (size - 1) / 2) * PIXEL_MM
    grid = torch.broadcast_tensors(along[None, None], along[None, :, None], stack.positions[:, None, None])
    return torch.stack(grid, -1)


def _overlap(a, b) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))
