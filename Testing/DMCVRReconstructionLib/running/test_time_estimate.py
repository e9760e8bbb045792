import pytest
from DMCVRReconstructionLib.running.time_estimate import StepCounts, TimeLeft, duration


def test_the_time_left_follows_the_progress():
    now = [0.0]
    left = TimeLeft(
        StepCounts(segment=10, generate=20), {"load": 2.0, "segment": 1.0, "generate": 3.0}, lambda: now[0]
    )
    assert left.seconds() == 2 + 10 + 60
    left.update("load", 0, 1)
    now[0] = 4.0
    left.update("segment", 1, 10)
    assert left.seconds() == 9 + 60
    for done in range(2, 11):
        now[0] += 0.5
        left.update("segment", done, 10)
    assert left.seconds() == 60
    for done in range(1, 11):
        now[0] += 2
        left.update("generate", done, 20)
    assert left.seconds() == pytest.approx(20)
    assert left.each == {"load": 4.0, "segment": 0.45, "generate": 2.0}


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "5 s"), (12, "10 s"), (89, "90 s"), (91, "2 min"), (600, "10 min")]
)
def test_a_duration_is_rounded_as_an_estimate_is(seconds, words):
    assert duration(seconds) == words


def test_only_diffusion_aligns_and_inverts():
    counts = {"frames": 2, "chosen": 1, "slices": 9, "generated": 40}
    assert StepCounts.of(**counts, byDiffusion=True) == StepCounts(18, 40, align=8, invert=9)
    assert StepCounts.of(**counts, byDiffusion=False) == StepCounts(18, 1)
