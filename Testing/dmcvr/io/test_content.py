"""What voxels say against their header."""

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.stack import Stack
from dmcvr.io.content import check_axes, check_is_image, is_label_map


def stack_of(frames, gap=10.0, like=None):
    origins = np.arange(frames.shape[1])[:, None] * [0, 0, gap]
    return Stack(
        np.ascontiguousarray(frames, np.float32), origins, np.array([2.0, 0, 0]), np.array([0, 2.0, 0])
    )


@pytest.fixture(scope="module")
def frames():
    """(5, 13, H, W) of a beating phantom."""
    from dmcvr.simulation.phantom import PhantomConfig, make_phantom

    config = PhantomConfig(pixel_mm=2.4, matrix=(120, 130), lax_matrix=(60, 60), n_frames=10)
    return make_phantom(config, frames=[0, 1, 2, 3, 4]).sax.frames


@pytest.mark.parametrize("gap", [5.0, 8.0, 10.0])
def test_a_stack_and_a_cine_are_left_alone(frames, gap):
    for part in (frames, frames[:1], frames[[0, 3]], frames[:, 3:7], frames[:1, 3:6]):
        check_axes(stack_of(part, gap))
        check_is_image(stack_of(part, gap))


@pytest.mark.parametrize("count", [3, 5])
def test_slices_that_changed_places_with_frames_are_refused(frames, count):
    for part in (frames[:count], frames[:count, 2:9]):
        with pytest.raises(InputError, match="slices and frames seem to have changed places"):
            check_axes(stack_of(part.transpose(1, 0, 2, 3)))


def test_frames_stored_as_slices_are_refused(frames):
    one_slice = frames[None, :, 6]
    by_slice = frames[:3].transpose(1, 0, 2, 3).reshape(1, -1, *frames.shape[2:])
    by_frame = frames[:3].reshape(1, -1, *frames.shape[2:])
    for stored in (one_slice, by_slice, by_frame):
        with pytest.raises(InputError, match="hold frames in time"):
            check_axes(stack_of(stored, 8.0))


def test_thin_slices_may_look_alike(frames):
    check_axes(stack_of(frames[None, :, 6], 1.5))


@pytest.mark.parametrize("values", [(0, 1, 2, 3), (0, 200, 500, 600), (0, 255), (0, 1.0000001, 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_a_label_map_is_no_image(values, dtype):
    rng = np.random.default_rng(0)
    # A corner without labels first, as files begin.
    labels = rng.choice(values, (1, 4, 60, 70), p=[0.7, *[0.3 / (len(values) - 1)] * (len(values) - 1)])
    labels[:, 0] = 0
    assert is_label_map(labels.astype(np.float64))
    with pytest.raises(InputError, match="label map"):
        check_is_image(stack_of(labels))


def test_an_image_of_few_values_is_no_label_map():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (1, 4, 60, 70)).astype(np.uint8)
    assert not is_label_map(picture)
    assert not is_label_map(picture / 255)
    assert not is_label_map(np.where(picture > 128, 700, 100))  # no background
    assert is_label_map(np.where(picture > 100, 1, 0))
