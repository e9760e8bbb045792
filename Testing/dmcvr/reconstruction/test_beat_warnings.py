"""Beats that contradict themselves."""

import pytest
from dmcvr.reconstruction.beat_warnings import beat_warnings


def beat(lvc=(150, 60), lvm=(100, 104), rvc=(160, 75)):
    return [dict(zip(("LVC", "LVM", "RVC"), frame, strict=True)) for frame in zip(lvc, lvm, rvc, strict=True)]


def test_a_sound_beat_is_not_remarked_on():
    assert beat_warnings(beat()) == []


@pytest.mark.parametrize(("rvc", "said"), [((160, 121), True), ((160, 119), False), ((200, 59), True)])
def test_stroke_volumes_that_differ_beyond_what_experts_draw(rvc, said):
    found = beat_warnings(beat(rvc=rvc))
    assert bool(found) is said
    if said:
        assert f"90 and {rvc[0] - rvc[1]} ml" in found[0]


@pytest.mark.parametrize(("lvm", "said"), [((100, 127), True), ((100, 125), False), ((100, 73), True)])
def test_muscle_that_comes_and_goes(lvm, said):
    found = beat_warnings(beat(lvm=lvm))
    assert bool(found) is said
    if said:
        assert f"105 g at end-diastole and {1.05 * lvm[1]:.0f} g" in found[0]


def test_the_phases_are_those_of_the_cavity_whatever_the_order():
    frames = beat(lvc=(60, 150, 100), lvm=(140, 100, 100), rvc=(75, 160, 100))
    assert len(beat_warnings(frames)) == 1


def test_what_is_missing_says_nothing():
    assert beat_warnings(beat(rvc=(0, 0))) == []
    assert beat_warnings(beat(lvm=(0, 0))) == []
    assert beat_warnings(beat()[:1]) == []
