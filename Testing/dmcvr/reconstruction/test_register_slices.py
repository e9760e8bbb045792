"""The pipeline puts slices in register, and says so."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.alignment.lax_shifts import ONE_VIEW
from dmcvr.alignment.shifts import SliceShifts, in_plane
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct
from dmcvr.reconstruction.register_slices import find_shifts
from dmcvr.simulation.phantom import make_phantom, random_config


@pytest.fixture(scope="module")
def displaced():
    return make_phantom(random_config(3001, shift_sd_mm=2.0, lax_shift_sd_mm=1.5), frames=[0])


def run(phantom, align, *views):
    options = Options(method="shape", frame=0, align=align)
    lax = [phantom.lax[view] for view in views]
    return reconstruct(phantom.sax, None, options, labels=phantom.sax_labels, lax=lax)


def test_slices_are_moved_back_and_that_is_said(displaced):
    result = run(displaced, "auto", "2ch", "3ch", "4ch")
    true = in_plane(displaced.shifts, displaced.sax)
    shown = displaced.sax_labels[0].any((1, 2))
    left = (true - result.shifts.mm)[shown]
    assert np.sqrt(((left - left.mean(0)) ** 2).sum(1).mean()) < 0.6
    (note,) = (item for item in result.warnings if "put in register" in item)
    assert f"{result.shifts.largest:.1f} mm" in note
    assert f"slice {result.shifts.lengths.argmax() + 1}" in note
    # What is reconstructed is what was moved.
    z = next(z for z, index in enumerate(result.acquired) if index == 5)
    assert np.array_equal(result.labels[0, z], result.stack_labels[0, 5])
    assert np.array_equal(result.volume[0, z], result.stack.frames[0, 5])
    assert not np.array_equal(result.stack.frames[0, 5], displaced.sax.frames[0, 5])


def test_off_keeps_every_voxel_as_acquired(displaced):
    result = run(displaced, "off", "2ch", "3ch", "4ch")
    assert result.shifts.source == "none"
    for z, index in enumerate(result.acquired):
        if index is not None:
            assert np.array_equal(result.volume[0, z], displaced.sax.frames[0, index])
            assert np.array_equal(result.labels[0, z], displaced.sax_labels[0, index])
    assert not any("register" in item for item in result.warnings)


def test_one_view_leaves_slices_where_they_are_and_says_why(displaced):
    result = run(displaced, "auto", "4ch")
    assert result.shifts.largest == 0
    assert ONE_VIEW in result.warnings


def test_nothing_is_said_where_there_are_no_long_axis_images(displaced):
    shifts, notes = find_shifts(displaced.sax, displaced.sax_labels, (), "auto")
    assert (shifts.largest, notes) == (0, ())
    shifts, notes = find_shifts(displaced.sax, displaced.sax_labels, (), "lax")
    assert shifts.largest == 0
    assert len(notes) == 1


def test_all_frames_of_a_slice_move_together(displaced):
    twice = replace(displaced.sax, frames=np.repeat(displaced.sax.frames, 2, axis=0), times=None)
    labels = np.repeat(displaced.sax_labels, 2, axis=0)
    options = Options(method="nearest", frame="all", align="lax")
    result = reconstruct(twice, None, options, labels=labels, lax=tuple(displaced.lax.values()))
    assert isinstance(result.shifts, SliceShifts)
    assert np.array_equal(result.labels[0], result.labels[1])
