"""Noise schedules."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from dmcvr.model.diffusion.schedule import SCHEDULES, LinearBeta, UniformLogSNR, alpha_sigma

BOTH = pytest.mark.parametrize("schedule", [LinearBeta(), UniformLogSNR()], ids=["linear-beta", "log-snr"])


@pytest.mark.parametrize("lam", [-12.0, -4.5, 0.0, 1.3, 4.6, 12.0])
def test_alpha_and_sigma_are_those_of_the_level(lam):
    alpha, sigma = alpha_sigma(lam)
    assert alpha**2 + sigma**2 == pytest.approx(1, abs=1e-14)
    assert np.log(alpha / sigma) == pytest.approx(lam, abs=1e-9)


def test_the_linear_schedule_ends_where_the_papers_betas_say():
    beta = np.linspace(1e-4, 0.02, 1000)
    schedule = LinearBeta()
    first, last = alpha_sigma(schedule.lam_max)[0] ** 2, alpha_sigma(schedule.lam_min)[0] ** 2
    assert first == pytest.approx(1 - 1e-4, rel=1e-12)
    assert last == pytest.approx(np.exp(np.log1p(-beta).sum()), rel=1e-9)
    assert last == pytest.approx(4.0e-5, rel=0.02)


def test_the_linear_schedule_tells_the_network_the_step():
    schedule = LinearBeta()
    levels = torch.tensor(schedule.ddim_grid(999), dtype=torch.float64)
    assert schedule.network_time(levels).numpy() == pytest.approx(np.arange(1000), abs=1e-6)
    beyond = torch.tensor([schedule.lam_max + 1, schedule.lam_min - 1])
    assert schedule.network_time(beyond).tolist() == [0, 999]


def test_log_snr_is_told_as_it_is():
    schedule = UniformLogSNR()
    levels = torch.tensor([schedule.lam_max, 0.0, schedule.lam_min])
    assert schedule.network_time(levels).tolist() == [9, 0, -9]


@BOTH
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_network_time_keeps_precision_and_falls_with_lam(schedule, dtype):
    levels = torch.tensor(schedule.grid(50), dtype=dtype)
    times = schedule.network_time(levels)
    assert times.dtype == dtype
    exact = schedule.network_time(levels.double())
    assert times.double().numpy() == pytest.approx(exact.numpy(), rel=1e-4, abs=1e-3)
    assert (times.diff() > 0).all() or (times.diff() < 0).all()


@BOTH
def test_draws_stay_within_the_bounds_and_reach_both_ends(schedule):
    lams = schedule.draw(torch.linspace(0, 1 - 1e-7, 5000))
    assert lams.dtype == torch.float32
    assert lams.max() <= schedule.lam_max + 1e-6
    assert lams.min() >= schedule.lam_min - 1e-6
    assert float(lams.max()) == pytest.approx(schedule.lam_max, abs=1e-2)
    assert float(lams.min()) == pytest.approx(schedule.lam_min, abs=1e-2)


def test_the_linear_schedule_draws_every_step_equally_often():
    schedule = LinearBeta()
    steps = schedule.network_time(schedule.draw((torch.arange(3000).double() + 0.5) / 3000)).round().long()
    assert torch.bincount(steps, minlength=1000).tolist() == [3] * 1000


@BOTH
@pytest.mark.parametrize("steps", [1, 10, 37])
def test_grids_run_evenly_from_image_to_noise(schedule, steps):
    levels = schedule.grid(steps)
    assert len(levels) == steps + 1
    assert levels[0] == schedule.lam_max
    assert levels[-1] == schedule.lam_min
    assert np.diff(levels) == pytest.approx(np.full(steps, (schedule.lam_min - schedule.lam_max) / steps))


@BOTH
def test_a_grid_can_stop_on_the_way(schedule):
    levels = schedule.grid(4, lam_stop=1.0)
    assert levels[0] == schedule.lam_max
    assert levels[-1] == 1.0
    assert all(a > b for a, b in pairwise(levels))


def test_the_ddim_grid_is_even_in_time():
    schedule = LinearBeta()
    levels = schedule.ddim_grid(27)
    assert (levels[0], levels[-1]) == (schedule.lam_max, schedule.lam_min)
    times = schedule.network_time(torch.tensor(levels, dtype=torch.float64)).numpy()
    assert times == pytest.approx(np.linspace(0, 999, 28), abs=1e-6)


def test_presets_name_the_schedules():
    assert {name: type(kind()) for name, kind in SCHEDULES.items()} == {
        "linear-beta": LinearBeta,
        "log-snr": UniformLogSNR,
    }
