"""Slices put in register."""

from dataclasses import replace

import numpy as np
import pytest
from dmcvr.alignment.register import images_in_register, labels_in_register
from dmcvr.alignment.shifts import SliceShifts, in_plane
from dmcvr.core.stack import Stack
from dmcvr.evaluation.metrics import dice
from dmcvr.simulation.phantom import PhantomConfig, make_phantom


def blob(height=40, width=50, row=20.0, column=25.0, spacing=(1.5, 2.0)):
    """A smooth spot of (H, W), its middle at (row, column)."""
    y, x = np.mgrid[:height, :width]
    return 100 * np.exp(
        -(((y - row) * spacing[1]) ** 2 + ((x - column) * spacing[0]) ** 2) / (2 * 6.0**2)
    ).astype(np.float32)


def stack_of(images):
    frames = np.stack(images)[None].astype(np.float32)
    turned = np.array([0.6, 0.8, 0]), np.array([-0.8, 0.6, 0])
    origins = np.array([[0, 0, 8.0 * i] for i in range(len(images))])
    return Stack(frames, origins, 1.5 * turned[0], 2.0 * turned[1])


def test_a_displaced_spot_comes_back_to_its_place():
    # Displaced by 3 mm along x (2 pixels of 1.5) and -5 mm along y (2.5 pixels of 2).
    stack = stack_of([blob(), blob(row=17.5, column=27)])
    moved = images_in_register(stack, SliceShifts(np.array([[0, 0], [3.0, -5.0]])))
    assert np.array_equal(moved.frames[0, 0], stack.frames[0, 0])
    assert np.abs(moved.frames[0, 1] - blob()).max() < 0.5
    assert np.array_equal(moved.origins, stack.origins)


def test_slices_hardly_displaced_keep_their_voxels():
    stack = stack_of([blob(), blob()])
    moved = images_in_register(stack, SliceShifts(np.array([[0.05, 0], [-0.05, 0]])))
    assert np.array_equal(moved.frames, stack.frames)


def test_nothing_falls_below_the_lowest_intensity():
    edge = np.zeros((40, 50), np.float32)
    edge[:, 25:] = 100
    moved = images_in_register(stack_of([edge]), SliceShifts(np.array([[0.7, 0.0]])))
    assert moved.frames.min() == 0


def test_labels_move_by_parts_of_a_pixel():
    stack = stack_of([blob()])
    labels = (blob() > 20).astype(np.uint8)[None, None]
    there = SliceShifts(np.array([[0.6, 0.8]]))
    back = SliceShifts(-there.mm)
    again = labels_in_register(labels_in_register(labels, stack, there), stack, back)
    assert dice(again > 0, labels > 0) > 0.97
    area = np.count_nonzero(labels_in_register(labels, stack, there))
    assert area == pytest.approx(np.count_nonzero(labels), rel=0.03)


def test_a_phantom_put_in_register_by_its_true_shifts_is_the_phantom_at_rest():
    config = PhantomConfig(shift_sd_mm=3.0, snr=500.0, slice_gap_mm=20.0)
    displaced = make_phantom(config, frames=[0])
    # The same patient, with the shifts through the plane alone.
    shifts = SliceShifts(in_plane(displaced.shifts, displaced.sax))
    rest = make_phantom(replace(config, shift_sd_mm=0.0), frames=[0])
    labels = labels_in_register(displaced.sax_labels, displaced.sax, shifts)
    before = dice(displaced.sax_labels > 0, rest.sax_labels > 0)
    after = dice(labels > 0, rest.sax_labels > 0)
    assert after > 0.97
    assert after > before + 0.02
    moved = images_in_register(displaced.sax, shifts).frames
    window = rest.sax_labels > 0
    difference = np.abs(moved - rest.sax.frames)[window].mean()
    assert difference < 0.5 * np.abs(displaced.sax.frames - rest.sax.frames)[window].mean()
