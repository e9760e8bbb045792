from dataclasses import replace

import numpy as np


def test_lax_frame_is_the_one_nearest_in_time(data):
    lax = data.lax[0]
    np.testing.assert_array_equal(data.lax_frame(lax, 2), lax.frames[4, 0])
    timed = replace(data, stack=replace(data.stack, times=np.array([0.0, 100, 200, 300])))
    slow = replace(lax, times=np.arange(8) * 60.0)
    np.testing.assert_array_equal(timed.lax_frame(slow, 2), lax.frames[3, 0])


def test_without_times_a_phase_alone_has_the_long_axis_image_of_its_place_in_the_cine(data):
    """Of frame 7 of 10, not of the first one."""
    lax, input_record = data.lax[0], replace(data.record.input, frames=10)
    alone = replace(
        data,
        stack=data.stack.select(frames=[2]),
        record=replace(data.record, frames=[7], input=input_record),
    )
    np.testing.assert_array_equal(alone.lax_frame(lax, 0), lax.frames[6, 0])
