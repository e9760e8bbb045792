import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.simulation.shapemodel import read_shape_model
from dmcvr.training.heart_distances import (
    FINE_MM,
    SHAPE,
    STEP_MM,
    UNIT_MM,
    distances_of,
    heart_labels,
    hearts_to_train_on,
    held_back_hearts,
    held_back_subjects,
    load_hearts,
    phantom_labels,
    prepare_hearts,
    random_shape,
)


@pytest.fixture(scope="module")
def phantom():
    return phantom_labels(1)


def test_distances_tell_the_same_volumes_as_labels(phantom):
    distances = distances_of(phantom)
    assert distances.shape == (3, *SHAPE)
    for channel, members in enumerate(((LVC,), (LVC, LVM), (RVC,))):
        volume = np.isin(phantom, members).sum() * FINE_MM**3
        # Smoothing takes a little off what is round.
        assert (distances[channel] > 0).sum() * STEP_MM**3 == pytest.approx(0.97 * volume, rel=0.035)


def test_distances_rise_by_a_millimetre_a_millimetre(phantom):
    whole = distances_of(phantom)[1] * UNIT_MM
    slopes = np.stack(np.gradient(whole, STEP_MM))
    near = np.abs(whole) < 3
    assert np.linalg.norm(slopes, axis=0)[near].mean() == pytest.approx(0.95, abs=0.05)


def test_the_apex_is_below_and_the_rv_toward_u(phantom, shape_model_folder):
    shape = random_shape(read_shape_model(shape_model_folder), 0)
    for labels in (phantom, heart_labels(shape)):
        lv, rv = np.argwhere(labels == LVC), np.argwhere(labels == RVC)
        assert rv[:, 2].mean() > lv[:, 2].mean() + 5
        heights = np.unique(lv[:, 0])
        widths = [(lv[:, 0] == height).sum() for height in heights]
        assert widths[len(widths) // 10] < widths[-len(widths) // 3]
        # Nothing is cut off by the lattice.
        assert not labels[[0, -1]].any()
        assert not labels[:, :, [0, -1]].any()


def test_hearts_are_made_once(tmp_path, phantom):
    calls = []

    def labels():
        calls.append(1)
        return phantom

    first = prepare_hearts([("one", labels)], tmp_path)
    again = prepare_hearts([("one", labels), ("two", labels)], tmp_path)
    assert len(calls) == 2
    assert again.names == ("one", "two")
    assert np.array_equal(first.distances[0], again.distances[1])
    assert np.array_equal(load_hearts(tmp_path).distances, again.distances)


def test_without_hearts_there_is_nothing_to_train_on(tmp_path):
    with pytest.raises(InputError, match="No hearts"):
        prepare_hearts(hearts_to_train_on(None, 3, 0), tmp_path)
    with pytest.raises(InputError, match="not complete"):
        load_hearts(tmp_path)


def test_held_back_subjects_are_in_no_training_heart(shape_model_folder):
    model = read_shape_model(shape_model_folder)
    assert list(held_back_subjects(model)) == [2]
    kept = model.leaving_out(held_back_subjects(model))
    assert np.allclose(kept.mean_momenta, model.subjects[:2].mean(0))
    drawn = kept.random_momenta(np.random.default_rng(0)) - kept.mean_momenta
    apart = (model.subjects[0] - model.subjects[1]).ravel()
    # What is drawn lies on the line through the two subjects that are left.
    assert abs(drawn.ravel() @ apart) == pytest.approx(np.linalg.norm(drawn) * np.linalg.norm(apart))


def test_held_back_hearts_and_training_hearts_are_others(shape_model_folder):
    trained = [name for name, _ in hearts_to_train_on(shape_model_folder, 2, 1)]
    apart = [name for name, _ in held_back_hearts(shape_model_folder, 2)]
    assert trained == ["phantom0000", "heart0000", "heart0001"]
    assert apart == ["subject03", "heart1000", "heart1001"]
