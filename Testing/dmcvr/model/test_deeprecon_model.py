"""The model folder of the DeepRecon-style baseline."""

import json

import pytest
import torch
from dmcvr.core.errors import InputError
from dmcvr.model.bundle import DEFAULT_BUNDLE, read_card
from dmcvr.model.deeprecon_model import DeepReconModel
from dmcvr.model.inference import Model
from tinydeeprecon import TINY_DEEPRECON, untrained_deeprecon


@pytest.fixture
def folder(tmp_path):
    return untrained_deeprecon(tmp_path / "deeprecon")


def test_a_model_folder_holds_card_and_weights_and_loads(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["deeprecon.safetensors", "model.json"]
    model = DeepReconModel.load(folder, "cpu", "float32")
    assert model.preset == TINY_DEEPRECON
    assert model.card["name"] == "tiny deeprecon"
    assert len(model.sha256) == 64
    codes = model.encode(torch.rand(2, 1, 32, 32))
    assert codes.shape == (2, 5, 16)
    images, logits = model.decode(codes)
    assert (images.shape, logits.shape) == ((2, 1, 32, 32), (2, 4, 32, 32))
    assert torch.isfinite(images).all()


def test_the_two_kinds_of_model_are_not_taken_for_each_other(folder):
    with pytest.raises(InputError, match="holds a DeepRecon model"):
        Model.load(folder)
    with pytest.raises(InputError, match="no DeepRecon model"):
        DeepReconModel.load(DEFAULT_BUNDLE)


def test_weights_that_were_changed_are_refused(folder):
    path = folder / "deeprecon.safetensors"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(InputError, match="SHA-256"):
        DeepReconModel.load(folder)


def test_a_preset_that_does_not_fit_the_weights_is_refused(folder):
    card = read_card(folder)
    card["preset"]["widths"] = [16, 16, 16]
    (folder / "model.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(InputError, match="do not fit"):
        DeepReconModel.load(folder)
