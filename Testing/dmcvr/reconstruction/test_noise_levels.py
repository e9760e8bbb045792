import numpy as np
import pytest
from dmcvr.model.diffusion.schedule import SCHEDULES
from dmcvr.reconstruction.noise_levels import NoiseLevels
from dmcvr.reconstruction.options import Options

CHOICES = {
    "default": Options(),
    "lower stop": Options(stop_log_snr=-1.0),
    "three steps": Options(steps=3),
    "one step": Options(steps=1),
    "paper": Options(rule="paper"),
    "diffae": Options(method="diffae"),
}


@pytest.fixture(params=SCHEDULES.values(), ids=SCHEDULES.keys())
def schedule(request):
    return request.param()


@pytest.mark.parametrize("options", CHOICES.values(), ids=CHOICES.keys())
def test_both_ways_lead_between_the_image_and_the_same_noise(schedule, options):
    levels = NoiseLevels.of(schedule, options)
    assert (np.diff(levels.inversion) < 0).all()
    assert (np.diff(levels.generation) > 0).all()
    assert levels.inversion[0] == levels.generation[-1] == schedule.lam_max
    aligned = options.rule_in_force == "aligned"
    end = options.stop_log_snr / 2 if aligned else schedule.lam_min
    assert levels.noisiest == levels.inversion[-1] == levels.generation[0] == pytest.approx(end)


@pytest.mark.parametrize("options", CHOICES.values(), ids=CHOICES.keys())
def test_there_is_a_level_more_than_calls(schedule, options):
    levels = NoiseLevels.of(schedule, options)
    assert (len(levels.inversion) - 1, len(levels.generation) - 1) == options.calls


def test_steps_that_are_asked_for_are_of_equal_length(schedule):
    levels = NoiseLevels.of(schedule, Options(steps=5))
    assert np.ptp(np.diff(levels.inversion)) < 1e-6
    assert levels.generation == levels.inversion[::-1]
