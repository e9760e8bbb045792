"""Which frames of a cine are reconstructed, and with whose labels."""

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC
from dmcvr.reconstruction.options import Options
from dmcvr.reconstruction.pipeline import reconstruct


def run(cine, labels=None, **options):
    labels = cine.sax_labels if labels is None else labels
    return reconstruct(cine.sax, None, Options(method="nearest", spacing=5, **options), labels=labels)


def test_ed_is_the_largest_cavity_and_es_the_smallest(cine):
    sizes = (cine.sax_labels == LVC).sum((1, 2, 3))
    assert run(cine, frame="ed").frames == (sizes.argmax(),)
    assert run(cine, frame="es").frames == (sizes.argmin(),)


def test_all_frames_are_a_sequence_with_times_and_an_ejection_fraction(cine):
    result = run(cine, frame="all")
    assert (result.frames, len(result.volume)) == ((0, 1, 2), 3)
    np.testing.assert_array_equal(result.stack.times, cine.sax.times)
    np.testing.assert_array_equal(result.volume[:, ::2], cine.sax.frames)
    lvc = [volumes["LVC"] for volumes in result.volumes]
    assert result.ejection_fraction == pytest.approx(100 * (1 - min(lvc) / max(lvc)))


def test_both_phases_are_reconstructed_with_an_ejection_fraction(cine):
    sizes = (cine.sax_labels == LVC).sum((1, 2, 3))
    expected = sorted((int(sizes.argmax()), int(sizes.argmin())))
    result = run(cine, frame="both")
    assert list(result.frames) == expected
    assert result.phases == (sizes.argmax(), sizes.argmin())
    lvc = [volumes["LVC"] for volumes in result.volumes]
    assert result.ejection_fraction == pytest.approx(100 * (1 - min(lvc) / max(lvc)))
    # An expert who drew these two only has told which they are.
    labels = np.where(np.isin(range(3), expected)[:, None, None, None], cine.sax_labels, 0)
    alone = run(cine, labels.astype(np.uint8), frame="both")
    assert alone.phases == result.phases
    assert alone.ejection_fraction == result.ejection_fraction
    assert run(cine, labels.astype(np.uint8), frame="ed").phases is None


def test_one_frame_by_number(cine):
    result = run(cine, frame=1)
    assert (result.frames, result.ejection_fraction) == ((1,), None)
    assert [value is None for value in result.cycle_ml] == [True, False, True]
    np.testing.assert_array_equal(result.volume[0, ::2], cine.sax.frames[1])


@pytest.mark.parametrize("frame", [-1, 3])
def test_a_frame_out_of_range_is_refused(cine, frame):
    with pytest.raises(InputError, match="counted from 0 to 2"):
        run(cine, frame=frame)


def test_an_unknown_phase_is_refused(cine):
    with pytest.raises(InputError, match="ed, es, both, all"):
        run(cine, frame="diastole")


def test_frames_the_expert_left_out_are_not_taken_for_empty_hearts(cine):
    labels = cine.sax_labels.copy()
    labels[2] = 0
    assert run(cine, labels, frame="es").frames == (1,)
    with pytest.raises(InputError, match="Only 2 of the 3 frames"):
        run(cine, labels, frame="all")
    with pytest.raises(InputError, match="no heart in the chosen frame"):
        run(cine, labels, frame=2)


def test_labels_of_one_frame_need_the_frame_named(cine):
    with pytest.raises(InputError, match="say which"):
        run(cine, cine.sax_labels[1:2])
    result = run(cine, cine.sax_labels[1:2], frame=1)
    np.testing.assert_array_equal(result.stack_labels, cine.sax_labels[1:2])


def test_labels_of_another_shape_are_refused(cine):
    with pytest.raises(InputError, match="do not have the frames"):
        run(cine, cine.sax_labels[:, 1:])
