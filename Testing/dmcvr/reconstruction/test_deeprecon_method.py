"""The DeepRecon-style baseline as a method: where what it decodes comes to lie."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from dmcvr.baselines.weighted import apply_weights, linear_weights
from dmcvr.core.errors import InputError
from dmcvr.core.labels import LVC, LVM, RVC
from dmcvr.core.stack import Stack
from dmcvr.evaluation.metrics import dice
from dmcvr.model.deeprecon_model import DeepReconModel
from dmcvr.model.inference import Model
from dmcvr.model.networks.deeprecon_preset import DeepReconPreset
from dmcvr.reconstruction.deeprecon_method import DeepReconMethod, decode_between, find_codes
from dmcvr.reconstruction.heart_window import window_about
from dmcvr.reconstruction.models import load_model
from dmcvr.reconstruction.options import ModelChoice, Options
from dmcvr.reconstruction.output_grid import plan_layout
from dmcvr.reconstruction.pipeline import reconstruct
from tinydeeprecon import untrained_deeprecon

LEVELS = {0: 0.25, LVC: 1.0, LVM: 0.6, RVC: 0.0}
OPTIONS = Options(method="deeprecon", spacing=5, optimisation_steps=2, align="off")


class Transparent:
    """Its code is the slice, and its labels are told by intensity: what it decodes is known."""

    preset = DeepReconPreset(image_size=64, spacing_mm=3.0)
    size, batch, device = 64, 3, torch.device("cpu")

    def encode(self, images):
        return images[:, 0]

    def decode(self, codes):
        levels = torch.tensor([LEVELS[label] for label in sorted(LEVELS)])
        return codes[:, None], -100 * (codes[:, None] - levels[:, None, None]).abs()


@pytest.fixture(scope="module")
def drawn():
    """Six slices of 1.5 mm with square structures off the middle, in the intensities of LEVELS, whose centre
    moves along the stack.
    """
    labels = np.zeros((6, 140, 150), np.uint8)
    for index, item in enumerate(labels):
        row, column = 80 + 2 * index, 64 - index
        item[row - 16 : row + 16, column - 16 : column + 16] = LVM
        item[row - 10 : row + 10, column - 10 : column + 10] = LVC
        item[row - 14 : row + 14, column + 24 : column + 44] = RVC
    image = 800 * np.vectorize(LEVELS.get)(labels).astype(np.float32)
    origins = np.array([[7.0, -4.0, 10.0 * index] for index in range(len(labels))])
    return Stack(image[None], origins, np.array([1.5, 0, 0]), np.array([0, 1.5, 0])), labels[None]


@pytest.fixture(scope="module")
def window(drawn, tiny):
    stack, labels = drawn
    native = [stack.plane(index) for index in range(len(stack.origins))]
    return window_about(Model.untrained(tiny), stack.frames[0], native, native, labels[0] > 0)


def test_what_is_decoded_lies_where_it_was_acquired(drawn, window):
    stack, labels = drawn
    options = replace(OPTIONS, keep_acquired=False, optimisation_steps=0)
    layout = plan_layout(stack, 5.0)
    made = DeepReconMethod(Transparent(), window, options)(stack, labels, layout, lambda *told: None)
    assert made.volume.shape == made.labels.shape == (1, *layout.grid.shape)
    assert (made.volume.dtype, made.labels.dtype) == (np.float32, np.uint8)
    own = [index is not None for index in layout.acquired]
    assert sum(own) == 6
    for label in (LVC, LVM, RVC):
        assert dice(made.labels[0, own] == label, labels[0] == label) > 0.94
    assert np.abs(made.volume[0, own] - stack.frames[0]).mean() < 0.02 * stack.frames.max()


def test_beyond_the_window_images_are_linear_and_unlabelled(drawn, window):
    stack, labels = drawn
    layout = plan_layout(stack, 5.0)
    far = replace(window, planes=tuple(replace(p, origin=p.origin + 150 * p.step_x) for p in window.planes))
    made = DeepReconMethod(Transparent(), far, OPTIONS)(stack, labels, layout, lambda *told: None)
    missing = [index is None for index in layout.acquired]
    linear = apply_weights(linear_weights(stack.positions, layout.wanted), stack.frames[0])
    np.testing.assert_allclose(made.volume[0], linear, atol=1e-3)
    assert not made.labels[0, missing].any()


@pytest.fixture(scope="module")
def model(tiny, tmp_path_factory):
    made = Model.untrained(tiny)
    made.deeprecon = DeepReconModel.load(
        untrained_deeprecon(tmp_path_factory.mktemp("deeprecon")), "cpu", "float32"
    )
    return made


def test_the_pipeline_keeps_acquired_slices_and_tells_its_progress(heart, model):
    told = []
    result = reconstruct(heart[0], model, OPTIONS, lambda *item: told.append(item), heart[1])
    assert result.acquired == (0, None, 1, None, 2, None, 3)
    assert np.isfinite(result.volume).all()
    assert set(np.unique(result.labels)) <= {0, LVC, LVM, RVC}
    np.testing.assert_array_equal(result.volume[:, ::2], heart[0].frames)
    np.testing.assert_array_equal(result.labels[:, ::2], heart[1])
    assert told == [("invert", 4, 8), ("invert", 8, 8), ("generate", 1, 1)]
    again = reconstruct(heart[0], model, OPTIONS, labels=heart[1])
    np.testing.assert_array_equal(result.volume, again.volume)


def test_codes_at_the_slices_are_their_own(model):
    images = np.random.default_rng(0).random((3, 32, 32), np.float32)
    labels = np.zeros((3, 32, 32), np.uint8)
    codes = find_codes(model.deeprecon, images, labels, 2)
    positions = np.array([0.0, 8.0, 18.0])
    between, _ = decode_between(model.deeprecon, codes, positions, np.array([0.0, 4.0, 8.0, 18.0]))
    own, _ = decode_between(model.deeprecon, codes, np.arange(3.0), np.arange(3.0))
    np.testing.assert_allclose(between[[0, 2, 3]], own, atol=1e-5)
    assert np.abs(between[1] - own[0]).max() > 1e-3


def test_without_its_model_the_method_is_refused(heart, tiny):
    with pytest.raises(ValueError, match="deeprecon"):
        reconstruct(heart[0], Model.untrained(tiny), OPTIONS, labels=heart[1])
    with pytest.raises(InputError, match="dmcvr train deeprecon"):
        load_model(OPTIONS, ModelChoice())
    with pytest.raises(InputError, match="samples"):
        replace(OPTIONS, samples=3)
