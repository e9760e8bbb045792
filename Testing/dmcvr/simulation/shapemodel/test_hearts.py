"""Which hearts are trained on and which are held back."""

from functools import partial

import numpy as np
import pytest
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC
from dmcvr.simulation.phantom import random_config
from dmcvr.simulation.shapemodel import HeldBackHearts, hearts, training_hearts
from dmcvr.simulation.shapemodel.sizing import Sizes


@pytest.fixture(autouse=True)
def _coarse(monkeypatch):
    """Scans of few, large pixels."""
    coarse = partial(random_config, pixel_mm=5.0, matrix=(56, 64), lax_matrix=(16, 16), slice_gap_mm=25.0)
    monkeypatch.setattr(hearts, "random_config", coarse)


@pytest.mark.slow
def test_training_hearts_come_with_labels_and_in_both_phases(shape_model_folder):
    *made, (_, apart, _) = training_hearts(shape_model_folder, 3)
    assert [name for name, *_ in made] == ["heart0000", "heart0001"]
    assert [stack.gaps.mean() for _, stack, _ in made] == pytest.approx([5, 5])
    assert apart.gaps.mean() == pytest.approx(25)  # what _coarse sets
    for _, stack, labels in made:
        assert stack.frames.shape == (1, *labels.shape)
        assert set(np.unique(labels)) == {0, 1, 2, 3}
    times = [float(stack.times[0]) for _, stack, _ in made]
    assert times[0] == 0
    assert times[1] > 150
    again = next(training_hearts(shape_model_folder, 1))
    assert np.array_equal(again[1].frames, made[0][1].frames)


def test_held_back_hearts_alternate_until_the_subjects_run_out(shape_model_folder, monkeypatch):
    monkeypatch.setattr(hearts, "real_heart", lambda model, index: ("real", index))
    monkeypatch.setattr(hearts, "random_heart", lambda model, seed: ("random", seed))
    held = HeldBackHearts(shape_model_folder, 9)
    assert len(held) == 9
    made = dict(held)
    assert list(made)[:4] == ["subject01", "heart1000", "subject02", "heart1001"]
    assert [name for name in made if name.startswith("subject")] == ["subject01", "subject02", "subject03"]
    assert len(made) == 9
    assert min(seed for kind, seed in made.values() if kind == "random") == hearts.FIRST_HELD_BACK
    assert len(dict(HeldBackHearts(shape_model_folder, 1))) == 1


def test_real_subjects_keep_their_size(shape_model_folder, made_up):
    heart = hearts.real_heart(made_up, 1)
    size = made_up.deform(made_up.subjects[1]).volume_ml(LVC)
    assert heart.heart.shape.volume_ml(LVC) == pytest.approx(size)
    assert heart.config.edv_ml == pytest.approx(size)


def test_sizes_span_disease(made_up, monkeypatch):
    asked, used = [], []

    def sizes_at(config, phase):
        asked.append((config, phase))
        return Sizes(config.edv_ml, 500, 500, 1, 3)

    monkeypatch.setattr(hearts, "sizes_at", sizes_at)
    monkeypatch.setattr(hearts, "resize", lambda shape, sizes: used.append(sizes))
    monkeypatch.setattr(hearts, "scan_heart", lambda *arguments: None)
    monkeypatch.setattr(type(made_up), "deform", lambda self, momenta: None)
    for seed in range(200):
        hearts.random_heart(made_up, seed)
    volumes = [config.edv_ml for config, _ in asked]
    assert 60 <= min(volumes) < 75
    assert 350 < max(volumes) <= 390
    assert {phase for _, phase in asked} == {0, 1 / 3}
    assert {(sizes.lvm_ml, sizes.rvc_ml) for sizes in used} == {(300, 300)}


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="lacks"):
        next(training_hearts(tmp_path, 1))
    with pytest.raises(InputError, match="lacks"):
        next(iter(HeldBackHearts(tmp_path, 1)))
