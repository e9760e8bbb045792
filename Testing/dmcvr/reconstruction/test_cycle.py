"""A beat fitted over all frames, of a heart of known volumes."""

import numpy as np
import pytest
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.evaluation.metrics import dice
from dmcvr.evaluation.whole_metrics import largest_deviation_percent, roughness_percent
from dmcvr.reconstruction.base import end_at_valve_planes
from dmcvr.reconstruction.cycle import fit_cycle
from dmcvr.reconstruction.valve_plane import ValvePlane

FRAMES, GAP, PIXEL = 24, 10.0, 1.5
POSITIONS = GAP * np.arange(10)
SPACING = (PIXEL, PIXEL)
FULLNESS = (1 + np.cos(2 * np.pi * np.arange(FRAMES) / FRAMES)) / 2
BASE = 62 + 12 * FULLNESS


def beating_heart():
    """Labels (T, S, H, W): a tapering LV whose wall keeps its area, an RV beside it; both end at BASE."""
    y, x = PIXEL * (np.indices((70, 90)) - np.array([35, 40])[:, None, None])
    labels = np.zeros((FRAMES, len(POSITIONS), *y.shape), np.uint8)
    for t, fullness in enumerate(FULLNESS):
        for k, z in enumerate(POSITIONS):
            if z > BASE[t] - 2 or z < 5:
                continue
            inner = (14 + 10 * fullness) * min(1.0, (z + 5) / 40)
            outer = np.sqrt(inner**2 + 22.0**2 * min(1.0, (z + 5) / 40))
            left = np.hypot(y, x)
            labels[t, k][np.hypot(y / 1.3, x + outer + 8) < 10 + 8 * fullness] = RVC
            labels[t, k][left < outer] = LVM
            labels[t, k][left < inner] = LVC
    return labels


@pytest.fixture(scope="module")
def heart():
    return beating_heart()


@pytest.fixture(scope="module")
def cycle(heart):
    return fit_cycle(heart, POSITIONS, SPACING)


def curve(volumes, name):
    return [frame[name] for frame in volumes]


def test_a_smooth_beat_stays_as_it_is(heart, cycle):
    inner = slice(1, 6)
    for label, least in ((LVC, 0.96), (LVM, 0.95), (RVC, 0.96)):
        assert dice(cycle.labels[:, inner] == label, heart[:, inner] == label) > least


def test_the_volume_is_smooth_though_whole_slices_enter_and_leave(heart, cycle):
    by_discs = (heart == LVC).sum((1, 2, 3)) * PIXEL**2 * GAP / 1000
    assert roughness_percent(by_discs) > 6
    assert roughness_percent(curve(cycle.volumes, "LVC")) < 4
    assert cycle.left.positions == pytest.approx(BASE, abs=4)


def test_muscle_keeps_its_volume(cycle):
    assert largest_deviation_percent(curve(cycle.volumes, "LVM")) < 3


def test_what_one_frame_says_alone_is_outvoted(heart, cycle):
    wrong = heart.copy()
    wrong[8, 3] = 0
    wrong[15, 2] = np.roll(wrong[15, 2], 6, axis=1)
    mended = fit_cycle(wrong, POSITIONS, SPACING).labels
    for t, k in ((8, 3), (15, 2)):
        assert dice(mended[t, k] > 0, heart[t, k] > 0) > 0.93
        assert dice(mended[t, k] > 0, heart[t, k] > 0) > dice(wrong[t, k] > 0, heart[t, k] > 0) + 0.03


def test_a_slice_that_flickers_in_is_put_out(heart):
    wrong = heart.copy()
    wrong[[5, 17], 8] = heart[0, 6]
    assert not (fit_cycle(wrong, POSITIONS, SPACING).labels[:, 8] == LVC).any()


def test_the_order_of_slices_does_not_matter(heart, cycle):
    turned = fit_cycle(heart[:, ::-1], POSITIONS, SPACING)
    assert np.array_equal(turned.labels[:, ::-1], cycle.labels)
    assert curve(turned.volumes, "LVC") == pytest.approx(curve(cycle.volumes, "LVC"))


def test_frames_without_a_heart_are_left_empty():
    empty = np.zeros((12, 4, 20, 20), np.uint8)
    fitted = fit_cycle(empty, 10.0 * np.arange(4), SPACING)
    assert not fitted.labels.any()
    assert fitted.left is None


def test_ventricles_end_at_their_planes():
    z = np.arange(0, 60, 2.0)
    labels = np.zeros((2, len(z), 6, 6), np.uint8)
    labels[:, z <= 30, 1:5, 1:5] = LVM
    labels[:, z <= 30, 2:4, 2:4] = LVC
    labels[:, z <= 40, 0, 0:4] = RVC
    left = ValvePlane(np.array([20.0, 45.0]), upward=True)
    end_at_valve_planes(labels, z, left, None, [0, 1])
    assert z[(labels[0] == LVC).any((1, 2))].max() == 20
    assert z[(labels[0] == LVM).any((1, 2))].max() == 20
    assert z[(labels[1] == LVC).any((1, 2))].max() == 44
    assert (labels[1, z == 44] == LVM).sum() == (labels[1, z == 30] == LVM).sum()
    assert z[(labels[0] == RVC).any((1, 2))].max() == 40
    back = labels[:, ::-1].copy()
    end_at_valve_planes(back, -z[::-1], ValvePlane(-left.positions, upward=False), None, [0, 1])
    assert np.array_equal(back[:, ::-1], labels)
