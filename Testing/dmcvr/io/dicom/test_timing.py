"""Frames are put in the order of time, and it is told what that order rests on."""

import numpy as np
import pytest
from dicomtones import FRAMES, assert_true_places, dataset, places, write
from dmcvr.io.dicom.study import read_study

ORDERS = {
    "temporal positions": lambda frame: {"TemporalPositionIdentifier": frame + 1},
    "acquisition times": lambda frame: {"AcquisitionTime": f"10{59 + frame / 20:05.2f}"},
    "content times": lambda frame: {"ContentTime": f"1012{frame:02d}"},
    "instance numbers": lambda frame: {"InstanceNumber": 3 * frame + 9},
}


def write_frames(folder, change):
    """A stack whose files' names tell a wrong order; ``change``: what a frame's header holds besides."""
    for number, origin in enumerate(places()):
        for frame in range(FRAMES):
            held = {"TriggerTime": None, "InstanceNumber": None} | change(frame)
            write(dataset(origin, frame=frame, **held), folder, f"{(frame * 5 + 2) % 7} {number}.dcm")


@pytest.mark.parametrize("order", ORDERS)
def test_frames_are_ordered_by_what_the_header_holds(tmp_path, order):
    write_frames(tmp_path, ORDERS[order])
    study = read_study(tmp_path)
    assert_true_places(study.sax)
    assert study.sax.times is None
    assert study.warnings[0].endswith(f"their order in time is that of their {order}.")


def test_trigger_times_go_before_contradicting_instance_numbers(tmp_path):
    write_frames(tmp_path, lambda frame: {"TriggerTime": 30.0 * frame, "InstanceNumber": 100 - frame})
    study = read_study(tmp_path)
    assert_true_places(study.sax)
    np.testing.assert_allclose(study.sax.times, 30 * np.arange(FRAMES))
    assert study.warnings == ()


def test_a_warning_where_nothing_tells_the_order(tmp_path):
    write_frames(tmp_path, lambda frame: {})
    study = read_study(tmp_path)
    assert study.sax.frames.shape[0] == FRAMES
    assert study.warnings[0].startswith("Nothing in the files tells the order of the frames in time")


def test_a_warning_where_orders_contradict_each_other(tmp_path):
    write_frames(
        tmp_path, lambda frame: {"TriggerTime": 30.0 * frame, "TemporalPositionIdentifier": 9 - frame}
    )
    study = read_study(tmp_path)
    assert "contradict" in study.warnings[0]
    assert study.sax.times is None


@pytest.mark.parametrize("constant", [{"TriggerTime": 0.0}, {"TemporalPositionIdentifier": 1}])
def test_what_is_the_same_for_all_frames_orders_nothing(tmp_path, constant):
    write_frames(tmp_path, lambda frame: {"InstanceNumber": frame} | constant)
    study = read_study(tmp_path)
    assert study.sax.frames.shape[:2] == (FRAMES, 5)
    assert_true_places(study.sax)
