"""Model bundles on disk."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from dmcvr.core.errors import InputError
from dmcvr.model.bundle import file_hash, read_card, write_bundle
from dmcvr.model.inference import Model
from dmcvr.model.networks.presets import COMPACT, OPTIONAL_PARTS, from_dict
from dmcvr.model.weights import build, checked_weights, read_weights
from dmcvr.system.untrusted import LARGEST_JSON
from safetensors.torch import load_file, save_file
from tiny import TINY_MEDFORMER

ABOUT = {"name": "tiny", "licence": "CC0", "scores": {"dice": 0.9}}


def trained_weights(preset, folder: Path) -> dict[str, Path]:
    """Random weights in the files that training writes."""
    torch.manual_seed(0)
    parts = build(preset).parts
    for part, network in parts.items():
        state = network.state_dict()
        state = {name: value + 0.01 if "denoiser." in name else value for name, value in state.items()}
        save_file(state, folder / f"{part}.safetensors")
    return {part: folder / f"{part}.safetensors" for part in parts}


@pytest.fixture
def weights(tiny, tmp_path) -> dict[str, Path]:
    folder = tmp_path / "trained"
    folder.mkdir()
    return trained_weights(tiny, folder)


@pytest.fixture
def bundle(tiny, weights, tmp_path) -> Path:
    write_bundle(tmp_path / "deep" / "bundle", tiny, weights, ABOUT)
    return tmp_path / "deep" / "bundle"


def edit_card(bundle: Path, change) -> None:
    path = bundle / "model.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    change(card)
    path.write_text(json.dumps(card), encoding="utf-8")


def test_a_bundle_holds_the_preset_the_card_and_safetensors_alone(bundle, tiny):
    assert sorted(path.name for path in bundle.iterdir()) == [
        "generator.safetensors",
        "model.json",
        "segmenter.safetensors",
        "shape.safetensors",
        "shifts.safetensors",
    ]
    card = read_card(bundle)
    assert from_dict(card["preset"]) == tiny
    assert {name: card[name] for name in ABOUT} == ABOUT
    assert card["labels"] == {"1": "LVC", "2": "LVM", "3": "RVC"}
    for part in tiny.parts:
        content = (bundle / f"{part}.safetensors").read_bytes()
        assert card["sha256"][part] == hashlib.sha256(content).hexdigest()


def test_a_network_that_is_no_longer_used_is_passed_over(bundle, tiny):
    """Folders of earlier versions hold a shape interpolator."""

    def add(card: dict) -> None:
        card["preset"]["interpolator"] = {"base": 32, "size": 64}
        card["sha256"]["interpolator"] = "0" * 64

    edit_card(bundle, add)
    assert from_dict(read_card(bundle)["preset"]) == tiny
    assert Model.load(bundle, device="cpu", precision="float32").preset == tiny


def test_weights_come_back_in_half_precision(bundle, weights, tiny):
    model = Model.load(bundle, device="cpu", precision="float32")
    loaded = {
        "segmenter": model.segmenter.state_dict(),
        "generator": {f"semantic.{name}": value for name, value in model.semantic.state_dict().items()}
        | {f"denoiser.{name}": value for name, value in model.denoiser.state_dict().items()},
    }
    for part in OPTIONAL_PARTS:
        loaded[part] = getattr(model, part).state_dict()
    for part, state in loaded.items():
        before = load_file(weights[part])
        assert state.keys() == before.keys()
        for name, value in state.items():
            if before[name].is_floating_point():
                assert value.dtype == torch.float32
                assert torch.equal(value, before[name].half().float())
            else:
                assert torch.equal(value, before[name])
    assert model.preset == tiny
    assert model.card["name"] == "tiny"


def test_a_batch_normed_network_comes_back_with_its_counters(tiny, tmp_path):
    """The paper's MedFormer has batch norms, whose counters are integers."""
    preset = replace(tiny, segmenter=replace(TINY_MEDFORMER, patch=2, context=1))
    write_bundle(tmp_path / "bundle", preset, trained_weights(preset, tmp_path), ABOUT)
    state = Model.load(tmp_path / "bundle", device="cpu").segmenter.state_dict()
    counters = [value for name, value in state.items() if name.endswith("num_batches_tracked")]
    assert counters
    assert {value.dtype for value in counters} == {torch.int64}


def test_the_hash_of_a_file_of_many_blocks(tmp_path):
    content = os.urandom(3 * (1 << 20) + 17)
    (tmp_path / "file").write_bytes(content)
    assert file_hash(tmp_path / "file") == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("part", COMPACT.parts)
@pytest.mark.parametrize("damage", ["flip", "cut", "delete", "folder"])
def test_changed_weights_are_refused(bundle, part, damage):
    path = bundle / f"{part}.safetensors"
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[:-10])
    else:
        path.unlink()
        if damage == "folder":
            path.mkdir()
    with pytest.raises(InputError, match=f"{part} weights are missing or were changed"):
        Model.load(bundle, device="cpu")


def test_a_missing_folder_or_card_is_refused(bundle, tmp_path):
    (bundle / "model.json").unlink()
    for folder in (bundle, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=r"no readable model\.json"):
            Model.load(folder, device="cpu")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"preset": {}}',
        b'{"preset": [], "sha256": {}}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"preset": {}, "sha256": {}, "name": "' + b"x" * LARGEST_JSON + b'"}',
    ],
    ids=lambda text: repr(text[:30]),
)
def test_a_garbled_card_is_refused(bundle, text):
    (bundle / "model.json").write_bytes(text)
    with pytest.raises(InputError, match=r"no readable model\.json"):
        read_card(bundle)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.pop("preset"),
        lambda card: card.pop("sha256"),
        lambda card: card.update(sha256=3),
        lambda card: card.update(sha256=[["segmenter", "ab"]]),
        lambda card: card.pop("name"),
        lambda card: card.update(licence=None),
        lambda card: card["preset"].update(unknown=1),
        lambda card: card["preset"].pop("schedule"),
        lambda card: card["preset"].update(schedule="cosine"),
        lambda card: card["preset"].update(denoiser=None),
    ],
)
def test_an_incomplete_card_is_refused(bundle, change):
    edit_card(bundle, change)
    with pytest.raises(InputError, match=r"no readable model\.json"):
        Model.load(bundle, device="cpu")


def test_a_card_without_the_hash_of_a_part_is_refused(bundle):
    edit_card(bundle, lambda card: card["sha256"].pop("generator"))
    with pytest.raises(InputError, match="generator weights"):
        Model.load(bundle, device="cpu")


def test_a_preset_the_weights_do_not_fit_is_refused(bundle):
    edit_card(bundle, lambda card: card["preset"]["semantic"].update(size=32))
    with pytest.raises(InputError, match="do not fit the preset"):
        Model.load(bundle, device="cpu")


def test_a_pickle_is_not_loaded_even_with_the_right_hash(bundle, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    path = bundle / "segmenter.safetensors"
    torch.save({"trap": Trap()}, path)
    edit_card(bundle, lambda card: card["sha256"].update(segmenter=file_hash(path)))
    with pytest.raises(InputError, match="cannot be read"):
        Model.load(bundle, device="cpu")
    assert not (tmp_path / "sprung").exists()


def test_links_do_not_lead_out_of_the_model_folder(bundle, tmp_path):
    """Though what they lead to is right, to the hash."""
    for name in ("segmenter.safetensors", "model.json"):
        (bundle / name).rename(tmp_path / name)
        (bundle / name).symlink_to(tmp_path / name)
        with pytest.raises(InputError, match=r"segmenter weights|no readable model\.json"):
            Model.load(bundle, device="cpu")


def test_a_card_that_is_a_pipe_is_refused(bundle):
    (bundle / "model.json").unlink()
    os.mkfifo(bundle / "model.json")
    with pytest.raises(InputError, match=r"no readable model\.json"):
        read_card(bundle)


def test_no_file_is_opened_that_the_card_names(bundle, tmp_path):
    """The hashes of a card are no paths, whatever they are called."""
    trap = tmp_path / "trap.safetensors"
    os.mkfifo(trap)  # whoever opened it would wait for ever
    edit_card(bundle, lambda card: card["sha256"].update({"../../trap": "ab", str(trap): "ab"}))
    assert Model.load(bundle, device="cpu").card["name"] == "tiny"


@pytest.mark.parametrize("kind", [torch.int64, torch.complex64, torch.bool, "shape", "missing", "more"])
def test_weights_of_another_kind_are_refused_even_with_the_right_hash(bundle, kind):
    path = bundle / "segmenter.safetensors"
    state = load_file(path)
    name = next(name for name, value in state.items() if value.ndim == 4)
    if kind == "missing":
        del state[name]
    elif kind == "more":
        state["more"] = torch.zeros(1)
    else:
        state[name] = state[name][:-1] if kind == "shape" else state[name].to(kind)
    save_file({name: value.contiguous() for name, value in state.items()}, path)
    edit_card(bundle, lambda card: card["sha256"].update(segmenter=file_hash(path)))
    with pytest.raises(InputError, match="do not fit the preset"):
        Model.load(bundle, device="cpu")


def test_weights_swapped_after_the_check_are_not_loaded(bundle, weights):
    """What was hashed is what is loaded."""
    path = bundle / "segmenter.safetensors"
    before = load_file(path)
    contents = checked_weights(bundle, "segmenter", read_card(bundle)["sha256"])
    os.replace(weights["segmenter"], path)
    for name, value in read_weights(contents).items():
        assert torch.equal(value, before[name].float())
    with pytest.raises(InputError, match="segmenter weights"):
        Model.load(bundle, device="cpu")


def test_a_card_is_read_without_torch(bundle):
    code = (
        "import sys; from pathlib import Path; from dmcvr.model.bundle import read_card; "
        "read_card(Path(sys.argv[1])); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(bundle)], check=True, timeout=60)
