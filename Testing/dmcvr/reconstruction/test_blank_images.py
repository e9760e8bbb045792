"""Padding is not a heart without volume."""

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.reconstruction.blank_images import blank_images, complete_frames, leave_out_blank_slices
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct

pytestmark = pytest.mark.slow

SHAPE = Options(method="shape", spacing=5.0, frame="all")


def with_blank(stack, frames, slices, value=0.0):
    """A copy of ``stack`` whose ``slices`` are constant in ``frames``."""
    out = stack.frames.copy()
    out[np.ix_(frames, slices)] = value
    return type(stack)(out, stack.origins, stack.step_x, stack.step_y, stack.times)


EVERY = list(range(13))


@pytest.mark.parametrize("value", [0.0, 120.0, -5.0])
def test_a_blank_frame_counts_for_nothing_and_is_named(cine, model, value):
    whole = reconstruct(cine.sax.select(frames=[0, 2]), model, SHAPE)
    result = reconstruct(with_blank(cine.sax, [1], EVERY, value), model, SHAPE)
    assert (result.frames, result.left_out, result.cycle_ml[1]) == ((0, 2), (1,), None)
    assert result.ejection_fraction == pytest.approx(whole.ejection_fraction)
    assert any("Frame 1 is blank in 13 of 13 slices" in message for message in result.warnings)


def test_end_systole_is_no_blank_frame(cine, model):
    stack = with_blank(cine.sax, [0], [4])
    result = reconstruct(stack, model, Options(method="shape", spacing=5.0, frame="es"))
    assert 0 not in result.frames
    assert any("Frame 0 is blank in 1 of 13 slices" in message for message in result.warnings)


def test_a_blank_frame_that_is_chosen_is_refused(cine, model):
    with pytest.raises(InputError, match="Frame 1 is blank"):
        reconstruct(with_blank(cine.sax, [1], EVERY), model, Options(method="shape", frame=1))


def test_a_frame_without_a_heart_is_left_out(cine, model):
    stack = with_blank(cine.sax, [], [])
    noise = np.random.default_rng(0).uniform(0, 400, stack.frames[1].shape)
    stack.frames[1] = noise
    result = reconstruct(stack, model, SHAPE)
    assert (result.frames, result.left_out) == ((0, 2), (1,))
    assert any("No left ventricle was found in frame 1" in message for message in result.warnings)


@pytest.mark.parametrize("slices", [[0], [12], [11, 12], [6]])
def test_blank_slices_are_left_out_with_their_labels(phantom, slices):
    stack = with_blank(phantom.sax, [0], slices)
    kept = [index for index in EVERY if index not in slices]
    result = reconstruct(stack, None, Options(method="shape", frame=0), labels=phantom.sax_labels)
    expected = reconstruct(
        phantom.sax.select(slices=kept),
        None,
        Options(method="shape", frame=0),
        labels=phantom.sax_labels[:, kept],
    )
    np.testing.assert_array_equal(result.labels, expected.labels)
    named = ", ".join(str(index + 1) for index in slices)
    assert f"{named} of the stack" in result.warnings[0]


def test_slices_that_are_all_blank_but_one_are_refused(phantom):
    with pytest.raises(InputError, match="show nothing"):
        leave_out_blank_slices(with_blank(phantom.sax, [0], EVERY[:-1]), None)


def test_frames_that_each_lack_a_slice_are_refused(cine):
    stack = cine.sax
    for frame, index in enumerate((3, 5, 7)):
        stack = with_blank(stack, [frame], [index])
    with pytest.raises(InputError, match="Every frame"):
        complete_frames(stack)


def test_dark_and_noisy_images_are_not_blank(cine):
    frames = cine.sax.frames.copy()
    frames[1] *= 0.1
    stack = type(cine.sax)(frames, cine.sax.origins, cine.sax.step_x, cine.sax.step_y)
    assert not blank_images(stack).any()


def test_options_that_cannot_mean_what_they_say_are_told(phantom):
    options = Options(method="shape", frame="es", spacing=25.0)
    result = reconstruct(phantom.sax, None, options, labels=phantom.sax_labels)
    assert any("single frame" in message and "end-systole" in message for message in result.warnings)
    assert any("25 mm is wider than gaps of 10 mm" in message for message in result.warnings)
    assert result.grid.spacing[2] == pytest.approx(10)
